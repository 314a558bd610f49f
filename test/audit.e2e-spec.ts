import { RequestMethod } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { connect, type Socket } from 'node:net';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { eventually } from './support/eventually.js';
import { KEYS, TestPlatform } from './support/platform.js';

interface Entry {
  id: string;
  at: string;
  actor: { name: string; kind: string; role: string };
  action: string;
  target: string | null;
  address: string;
  outcome: string;
  status: number | null;
  code: string | null;
  rows: number | null;
  finishedAt: string | null;
}
interface Page {
  items: Entry[];
  nextCursor: string | null;
}

describe('the audit', () => {
  let t: TestPlatform;
  beforeAll(async () => {
    t = await TestPlatform.start();
  });
  afterAll(() => t.stop());

  const entries = async (query = '') => {
    const answer = await t.get<Page>(`/admin/wechat/audit${query}`);
    expect(answer.status).toBe(200);
    return answer.body.items;
  };

  it('is asked of every route of operators that is not a mere question', () => {
    const controllers = [...t.app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
    const acting = controllers.flatMap(({ metatype }) => {
      const { prototype } = metatype as { prototype: Record<string, object> };
      const base = String(Reflect.getMetadata('path', metatype!));
      return Object.getOwnPropertyNames(prototype).flatMap((name) => {
        const handler = prototype[name]!;
        const method = Reflect.getMetadata('method', handler) as RequestMethod | undefined;
        const path = `${base}/${String(Reflect.getMetadata('path', handler))}`;
        if (method === undefined || !path.startsWith('admin/') || method === RequestMethod.GET) return [];
        return [{ path, audited: Reflect.hasMetadata('audited', handler) }];
      });
    });
    expect(acting.length).toBeGreaterThan(5);
    expect(acting.filter(({ audited }) => !audited)).toEqual([]);
  });

  it('says who did what, when, from where, and what came of it', async () => {
    const before = Date.now();
    expect((await t.post('/admin/wechat/platform/start-push-ticket')).body).toEqual({
      pushing: expect.stringMatching(/already_on|restarted/) as string,
    });
    const [entry] = await entries('?action=platform.start_push_ticket');
    expect(entry).toEqual({
      id: expect.stringMatching(/^\d+$/) as string,
      at: expect.any(String) as string,
      actor: { name: 'operator', kind: 'api-key', role: 'operator' },
      action: 'platform.start_push_ticket',
      target: null,
      address: '127.0.0.1',
      outcome: 'succeeded',
      status: 200,
      code: null,
      rows: null,
      finishedAt: expect.any(String) as string,
    });
    expect(Math.abs(Date.parse(entry!.at) - before)).toBeLessThan(60_000);
  });

  it('names what an action made, and finds the action by it', async () => {
    const { status, body } = await t.post<{ id: string }>('/admin/wechat/authorization-links', { tenantId: 't-1' });
    expect(status).toBe(201);
    expect(await entries(`?target=${body.id}`)).toMatchObject([
      { action: 'link.create', target: body.id, status: 201 },
    ]);
  });

  it('names whose deliveries were tried again, and makes nothing of a name that is none', async () => {
    expect((await t.post('/admin/wechat/deliveries/retry', { subscriber: 'crm.provision' })).status).toBe(202);
    for (const subscriber of [{ $ne: '' }, undefined])
      expect((await t.post('/admin/wechat/deliveries/retry', { subscriber })).status).toBe(400);
    const tried = await entries('?action=delivery.retry_all');
    expect(tried.map(({ target }) => target)).toEqual([null, null, 'crm.provision']);
    expect(await entries('?target=crm.provision')).toHaveLength(1);
  });

  it('keeps what was refused and what failed, with the code the caller was answered', async () => {
    expect((await t.post('/admin/wechat/authorizers/wxnobody/sync')).status).toBe(404);
    expect((await t.post('/admin/wechat/authorization-links', { colour: 'red' })).status).toBe(400);
    expect((await t.post('/admin/wechat/authorizers/sync?colour=red')).status).toBe(400);
    t.sandbox.world.setFault({ kind: 'errcode', errcode: 61004, path: 'api_start_push_ticket', times: 1 });
    expect((await t.post('/admin/wechat/platform/start-push-ticket')).status).toBe(502);
    t.sandbox.world.clearFaults();
    expect((await entries()).slice(0, 4)).toMatchObject([
      { action: 'platform.start_push_ticket', outcome: 'failed', status: 502, code: '61004' },
      { action: 'authorizer.sync_all', outcome: 'failed', status: 400, code: 'INVALID_REQUEST' },
      { action: 'link.create', outcome: 'failed', status: 400, code: 'INVALID_REQUEST' },
      { action: 'authorizer.sync', target: 'wxnobody', outcome: 'failed', status: 404, code: 'UNKNOWN_AUTHORIZER' },
    ]);
  });

  it('has no entry of whoever was not let in', async () => {
    const before = await entries();
    expect((await t.post('/admin/wechat/platform/start-push-ticket', undefined, KEYS.viewer)).status).toBe(403);
    expect((await t.post('/admin/wechat/platform/start-push-ticket', undefined, null)).status).toBe(401);
    expect(await entries()).toEqual(before);
  });

  it('makes what callers write harmless', async () => {
    await t.post(`/admin/wechat/authorizers/${encodeURIComponent('a\u0000\u001b[2J😀')}${'x'.repeat(80)}/sync`);
    const [entry] = await entries('?action=authorizer.sync');
    expect(entry!.target).toMatch(/^a\ufffd\ufffd\[2J😀x+$/u);
  });

  it('shows an action as unfinished while it is under way', async () => {
    const fault = t.sandbox.world.setFault({ kind: 'hang', ms: 20_000, path: 'api_start_push_ticket' });
    const acting = t.post('/admin/wechat/platform/start-push-ticket');
    await eventually(async () =>
      expect((await entries())[0]).toMatchObject({ outcome: 'unfinished', status: null, finishedAt: null }),
    );
    t.sandbox.world.faults.clear(fault);
    await acting.catch(() => undefined);
    await eventually(async () => expect((await entries())[0]).not.toMatchObject({ outcome: 'unfinished' }));
  });

  it('lets nothing be done that it could not write down', async () => {
    await t.query('alter table audit_entry rename to audit_entry_away');
    const asked = t.sandbox.world.counters.of('/cgi-bin/component/api_start_push_ticket').calls;
    const { status } = await t.post('/admin/wechat/platform/start-push-ticket');
    await t.query('alter table audit_entry_away rename to audit_entry');
    expect(status).toBeGreaterThanOrEqual(500);
    expect(t.sandbox.world.counters.of('/cgi-bin/component/api_start_push_ticket').calls).toBe(asked);
  });

  it.each(['audit_entry', 'audit_outcome'])('of %s can be changed or removed by nobody', async (table) => {
    const column = table === 'audit_entry' ? 'action' : 'code';
    for (const change of [
      `update ${table} set ${column} = 'nothing'`,
      `delete from ${table}`,
      `truncate ${table} cascade`,
    ])
      await expect(t.query(change)).rejects.toThrow('append-only');
  });

  describe('as a list', () => {
    it('goes on where it was, page by page, whatever happens in between', async () => {
      const whole = await entries('?limit=200');
      const seen: Entry[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const { body }: { body: Page } = await t.get<Page>(
          `/admin/wechat/audit?limit=2${cursor && `&cursor=${cursor}`}`,
        );
        seen.push(...body.items);
        cursor = body.nextCursor;
        await t.post('/admin/wechat/platform/start-push-ticket');
      }
      expect(seen).toEqual(whole);
    });

    it('is narrowed by who, what and when', async () => {
      const all = await entries();
      const { at } = all[1]!;
      expect(await entries('?actor=operator')).toEqual(all);
      expect(await entries('?actor=viewer')).toEqual([]);
      expect((await entries('?action=link.create')).every(({ action }) => action === 'link.create')).toBe(true);
      expect(await entries(`?from=${at}`)).toEqual(all.filter((entry) => entry.at >= at));
      expect(await entries(`?to=${at}`)).toEqual(all.filter((entry) => entry.at < at));
    });

    it('is read by index, however it is narrowed', async () => {
      await t.query(
        `insert into audit_entry (component_app_id, actor_name, actor_kind, actor_role, action, target, address)
         select $1, 'key-' || n % 100, 'api-key', 'operator', 'authorizer.sync', 'wx' || n, '10.0.0.1' from generate_series(1, 20000) as n`,
        [t.env.platform.appId],
      );
      await t.query(
        'insert into audit_outcome (entry_id, status) select id, 200 from audit_entry on conflict do nothing',
      );
      await t.query('vacuum analyze audit_entry, audit_outcome');
      const query = jest.spyOn(t.app.get(DataSource), 'query');
      for (const narrowed of ['', '?actor=key-7', '?action=link.create', '?target=wx77', '?from=2026-01-01T00:00:00Z'])
        await entries(narrowed);
      const calls = query.mock.calls.filter(([text]) => text.includes('audit_entry'));
      query.mockRestore();
      expect(calls).toHaveLength(5);
      for (const [text, values] of calls) {
        const plan = JSON.stringify(await t.query(`explain (format json) ${text}`, values as unknown[]));
        expect(plan).not.toContain('Seq Scan');
      }
    });
  });

  describe('of an export', () => {
    beforeAll(async () => {
      await t.query(
        `insert into authorizer (component_app_id, app_id, nick_name, tenant_id) values
         ($1, 'wxcsv1', '=HYPERLINK("http://evil")', 'csv'), ($1, 'wxcsv2', '咖啡, "馆"', 'csv'), ($1, 'wxcsv3', E'two\nlines', 'csv')`,
        [t.env.platform.appId],
      );
    });

    it('gives the filtered list as a table that a spreadsheet reads and does not run', async () => {
      const response = await fetch(new URL('/admin/wechat/authorizers.csv?tenantId=csv', t.url), {
        headers: { authorization: `Bearer ${KEYS.operator}` },
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(bytes.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'text/csv; charset=utf-8; header=present',
        'content-disposition': expect.stringMatching(
          /^attachment; filename="authorizers-\d{4}-\d\d-\d\d\.csv"$/,
        ) as string,
        'cache-control': 'no-store',
      });
      const text = bytes.toString();
      expect(text.match(/\r\n/g)).toHaveLength(4);
      expect(text).toContain('appId,status,accountType,nickName');
      expect(text).toContain(`wxcsv1,pending,unknown,"'=HYPERLINK(""http://evil"")",`);
      expect(text).toContain('wxcsv2,pending,unknown,"咖啡, ""馆""",');
      expect(text).toContain('wxcsv3,pending,unknown,"two\nlines",');
      await eventually(async () =>
        expect(await exports()).toMatchObject([{ outcome: 'succeeded', status: 200, code: null, rows: 3 }]),
      );
    });

    it('notes what was refused at once', async () => {
      expect((await t.get('/admin/wechat/authorizers.csv?colour=red', KEYS.operator)).status).toBe(400);
      expect((await exports())[0]).toMatchObject({
        outcome: 'failed',
        status: 400,
        code: 'INVALID_REQUEST',
        rows: null,
      });
    });

    it('is for operators', async () => {
      expect((await t.get('/admin/wechat/authorizers.csv')).status).toBe(403);
      expect((await t.get('/admin/wechat/authorizers.csv?limit=5', KEYS.operator)).status).toBe(400);
    });

    it('reads no further than the caller does, and stops when the caller goes away', async () => {
      await t.query(
        `insert into authorizer (component_app_id, app_id, nick_name) select $1, 'wxmany' || n, repeat('名', 200) || n
         from generate_series(1, 20000) as n`,
        [t.env.platform.appId],
      );
      const query = jest.spyOn(t.app.get(DataSource), 'query');
      const pages = () => query.mock.calls.filter(([text]) => text.includes('with candidate')).length;
      const socket = begin();
      await eventually(() => expect(pages()).toBeGreaterThan(0));
      await eventually(async () => {
        const before = pages();
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(pages()).toBe(before);
      });
      expect(pages()).toBeLessThan(20);
      expect((await exports())[0]).toMatchObject({ outcome: 'unfinished', status: null, rows: null });
      socket.destroy();
      await eventually(async () =>
        expect((await exports())[0]).toMatchObject({ outcome: 'aborted', status: 200, code: 'CALLER_GONE' }),
      );
      expect((await exports())[0]!.rows).toBeGreaterThan(0);
      expect((await exports())[0]!.rows).toBeLessThan(20_000);
      const whole = await t.request('GET', '/admin/wechat/authorizers.csv', { key: KEYS.operator });
      expect(whole.text.match(/\r\n/g)!.length).toBeGreaterThan(20_000);
      query.mockRestore();
    });

    it('says that it broke off when the list could not be read to its end', async () => {
      const socket = begin();
      await eventually(async () => expect((await exports())[0]).toMatchObject({ outcome: 'unfinished' }));
      const table = new Client({ connectionString: t.database.url });
      await table.connect();
      try {
        // Waits for the page that is being read, then keeps the next ones from being read.
        await table.query('begin; lock table authorizer in access exclusive mode');
        const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
        socket.resume();
        await ended;
      } finally {
        await table.end();
      }
      await eventually(async () =>
        expect((await exports())[0]).toMatchObject({ outcome: 'failed', status: 200, code: 'DATABASE_UNAVAILABLE' }),
      );
    });

    afterEach(() => socket?.destroy());

    const exports = () => entries('?action=authorizer.export');
    let socket: Socket | undefined;
    /** Asks for everything, and takes nothing yet. */
    const begin = () => {
      socket = connect(Number(new URL(t.url).port), '127.0.0.1').on('error', () => undefined);
      socket.pause();
      socket.write(
        `GET /admin/wechat/authorizers.csv HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEYS.operator}\r\n\r\n`,
      );
      return socket;
    };
  });
});
