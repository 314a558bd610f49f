import { Injectable } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { type AnyEvent, type DeliveryContext, EventOutbox, OnDomainEvent } from '@app/events';
import { MAX_ATTEMPTS } from '../libs/events/src/retry-schedule.js';
import { eventually } from './support/eventually.js';
import { TestPlatform } from './support/platform.js';

type Handler = (event: AnyEvent, delivery: DeliveryContext) => Promise<void>;
interface Delivery {
  id: string;
  subscriber: string;
  status: string;
  attempts: number;
  lastError: string | null;
  eventId: string;
  type: string;
  authorizerAppId: string;
  ageSeconds: number;
}

/** Two neighbours that do as a test tells them, and note what they were given. */
@Injectable()
class Neighbours {
  readonly heard: { by: string; id: string; authorizer: string | null; attempt: number; at: number }[] = [];
  readonly overheard: AnyEvent[] = [];
  first: Handler = () => Promise.resolve();
  second: Handler = () => Promise.resolve();
  light: (event: AnyEvent) => Promise<void> = () => Promise.resolve();

  @OnDomainEvent('authorizer.attention_required', { subscriber: 'test.first' })
  async one(event: AnyEvent, delivery: DeliveryContext): Promise<void> {
    this.note('test.first', event, delivery);
    await this.first(event, delivery);
  }

  @OnDomainEvent(['authorizer.attention_required', 'authorizer.unauthorized'], { subscriber: 'test.second' })
  async two(event: AnyEvent, delivery: DeliveryContext): Promise<void> {
    this.note('test.second', event, delivery);
    await this.second(event, delivery);
  }

  @OnEvent('authorizer.attention_required')
  async listen(event: AnyEvent): Promise<void> {
    this.overheard.push(event);
    await this.light(event);
  }

  reset(): void {
    this.heard.length = 0;
    this.overheard.length = 0;
    this.first = this.second = this.light = () => Promise.resolve();
  }

  private note(by: string, { id, authorizerAppId: authorizer }: AnyEvent, { attempt }: DeliveryContext): void {
    this.heard.push({ by, id, authorizer, attempt, at: performance.now() });
  }
}

describe('deliveries', () => {
  let t: TestPlatform;
  let neighbours: Neighbours;
  const component = () => t.env.platform.appId;

  beforeAll(async () => {
    t = await TestPlatform.start({ providers: [Neighbours], ticket: false });
    await t.query('create table effect (event_id uuid not null)');
  });
  beforeEach(() => {
    neighbours = t.app.get(Neighbours, { strict: false });
    neighbours.reset();
  });
  afterAll(async () => {
    await t.stop();
  });

  const publish = (authorizerAppId: string) => {
    const outbox = t.app.get(EventOutbox, { strict: false });
    const data = { attention: 'profile_unavailable' } as const;
    return outbox.transaction((tx) =>
      outbox.publish(tx, { type: 'authorizer.attention_required', componentAppId: component(), authorizerAppId, data }),
    );
  };
  const heardBy = (by: string, authorizer: string) =>
    neighbours.heard.filter((heard) => heard.by === by && heard.authorizer === authorizer);
  const rowsOf = (authorizer: string, subscriber: string) =>
    t.query<{ id: string; state: string; attempts: number; event: string; status: string }>(
      `select d.id::text, d.state, d.attempts, e.id as event, e.status from delivery d join event e using (position)
       where e.authorizer_app_id = $1 and d.subscriber = $2 order by position`,
      [authorizer, subscriber],
    );
  const settled = (authorizer: string, subscriber: string, state: string) =>
    eventually(async () => {
      const rows = await rowsOf(authorizer, subscriber);
      expect(rows.map((row) => row.state)).toEqual(rows.map(() => state));
      return rows;
    });
  /** Uses up the schedule of a delivery that waits for its next attempt, so that this is the last. */
  const hastenToLastAttempt = (authorizer: string, subscriber: string) =>
    eventually(async () => {
      const rows = await t.query(
        `update delivery set attempts = ${MAX_ATTEMPTS - 1}, due_at = now()
         where authorizer_app_id = $1 and subscriber = $2 and state = 'waiting' and lease is null and last_error is not null returning 1`,
        [authorizer, subscriber],
      );
      expect(rows.length).toBe(1);
    });
  const deadDelivery = async (authorizer: string) => {
    neighbours.first = () => Promise.reject(new TypeError('the CRM said no'));
    await publish(authorizer);
    await hastenToLastAttempt(authorizer, 'test.first');
    return (await settled(authorizer, 'test.first', 'dead'))[0]!;
  };

  it('fail and succeed for each subscriber alone, and are retried after a second', async () => {
    let failures = 1;
    neighbours.first = () => (failures-- > 0 ? Promise.reject(new Error('not yet')) : Promise.resolve());
    await publish('wx-independent');
    await settled('wx-independent', 'test.first', 'done');
    const [once, again] = heardBy('test.first', 'wx-independent');
    expect(heardBy('test.second', 'wx-independent')).toMatchObject([{ attempt: 1 }]);
    expect(heardBy('test.first', 'wx-independent')).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
    expect(again!.id).toBe(once!.id);
    expect(again!.at - once!.at).toBeGreaterThan(990);
  });

  it('wait behind a failing one of the same authorizer and subscriber, and nobody else does', async () => {
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => (release = resolve));
    neighbours.first = (event) => (event.authorizerAppId === 'wx-blocked' ? held : Promise.resolve());
    await publish('wx-blocked');
    await publish('wx-blocked');
    await publish('wx-free');
    await settled('wx-free', 'test.first', 'done');
    await settled('wx-blocked', 'test.second', 'done');
    await eventually(() => expect(heardBy('test.first', 'wx-blocked')).toHaveLength(1));
    release();
    await settled('wx-blocked', 'test.first', 'done');
    expect(heardBy('test.first', 'wx-blocked')).toHaveLength(2);
  });

  it('go on when an earlier one was parked behind a later one that fails', async () => {
    let failures = 1;
    const outbox = t.app.get(EventOutbox, { strict: false });
    let commit = () => undefined as void;
    const committed = new Promise<void>((resolve) => (commit = resolve));
    const about = { componentAppId: component(), authorizerAppId: 'wx-late' } as const;
    const data = { attention: 'profile_unavailable' } as const;
    let insert = () => undefined as void;
    const inserted = new Promise<void>((resolve) => (insert = resolve));
    const early = outbox.transaction(async (tx) => {
      await outbox.publish(tx, { ...about, type: 'authorizer.attention_required', data });
      insert();
      await committed;
    });
    await inserted;
    let fail = () => undefined as void;
    const failing = new Promise<void>((resolve) => (fail = resolve));
    neighbours.first = async () => {
      if (failures-- <= 0) return;
      commit();
      await early;
      await failing;
      throw new Error('not yet');
    };
    await publish('wx-late');
    await eventually(async () =>
      expect((await rowsOf('wx-late', 'test.first')).map(({ state }) => state)).toEqual(['parked', 'waiting']),
    );
    fail();
    await settled('wx-late', 'test.first', 'done');
    const order = heardBy('test.first', 'wx-late').map(({ id }) => id);
    const rows = await rowsOf('wx-late', 'test.first');
    expect(order).toEqual([rows[1]!.event, rows[0]!.event, rows[1]!.event]);
  });

  it('are given up after the last attempt, and let the next go', async () => {
    const { id, event, status } = await deadDelivery('wx-dead');
    expect(status).toBe('failed');
    neighbours.first = () => Promise.resolve();
    await publish('wx-dead');
    await eventually(async () =>
      expect((await rowsOf('wx-dead', 'test.first')).map(({ state }) => state)).toEqual(['dead', 'done']),
    );
    const { body } = await t.get<{ items: Delivery[] }>('/admin/wechat/deliveries?status=dead&subscriber=test.first');
    expect(body.items[0]).toMatchObject({
      id,
      subscriber: 'test.first',
      status: 'dead',
      eventId: event,
      type: 'authorizer.attention_required',
      authorizerAppId: 'wx-dead',
    });
    expect(body.items[0]!.lastError).toMatch(/^TypeError: the CRM said no\nat .*deliveries\.e2e-spec/);
    expect(body.items[0]!.ageSeconds).toEqual(expect.any(Number));
  });

  it('that are dead get a new schedule from an operator, one or all of a subscriber', async () => {
    const one = await deadDelivery('wx-retried');
    await deadDelivery('wx-retried-2');
    neighbours.first = () => Promise.resolve();
    expect((await t.post(`/admin/wechat/deliveries/${one.id}/retry`)).status).toBe(202);
    expect(await settled('wx-retried', 'test.first', 'done')).toMatchObject([{ attempts: 1, status: 'processed' }]);
    expect((await t.post(`/admin/wechat/deliveries/${one.id}/retry`)).body).toMatchObject({
      code: 'DELIVERY_NOT_DEAD',
    });
    const { status, body } = await t.post<{ deliveries: number }>('/admin/wechat/deliveries/retry', {
      subscriber: 'test.first',
    });
    expect(status).toBe(202);
    expect(body.deliveries).toBeGreaterThan(0);
    expect(await settled('wx-retried-2', 'test.first', 'done')).toMatchObject([{ status: 'processed' }]);
  });

  it('are listed in pages that stay right while more arrive', async () => {
    for (const n of [1, 2, 3]) await publish(`wx-page-${n}`);
    await settled('wx-page-3', 'test.second', 'done');
    const path = '/admin/wechat/deliveries?status=done&subscriber=test.second&limit=1';
    const page = (cursor?: string) =>
      t.get<{ items: Delivery[]; nextCursor: string }>(cursor ? `${path}&cursor=${cursor}` : path).then((a) => a.body);
    const newest = await page();
    await publish('wx-page-4');
    await settled('wx-page-4', 'test.second', 'done');
    const next = await page(newest.nextCursor);
    expect([newest, next].map(({ items }) => items[0]!.authorizerAppId)).toEqual(['wx-page-3', 'wx-page-2']);
  });

  it.each([
    ['GET', '/admin/wechat/deliveries?status=lost', 400],
    ['GET', '/admin/wechat/deliveries?state=dead', 400],
    ['POST', '/admin/wechat/deliveries/999999999/retry', 404],
    ['POST', '/admin/wechat/deliveries/none/retry', 404],
    ['POST', '/admin/wechat/events/00000000-0000-4000-8000-000000000000/replay', 404],
    ['POST', '/admin/wechat/events/none/replay', 404],
  ])('answer %s %s with %s', async (method, path, status) => {
    expect((await t.request(method, path)).status).toBe(status);
  });

  it('are for viewers to see and for operators to change', async () => {
    expect((await t.get('/admin/wechat/deliveries', null)).status).toBe(401);
    for (const path of ['deliveries/1/retry', 'deliveries/retry', 'events/1/replay'])
      expect((await t.post(`/admin/wechat/${path}`, { subscriber: 'x' }, 'viewer-key')).status).toBe(403);
  });

  it('are described to other services in an AsyncAPI document, to anybody who asks', async () => {
    const { status, body } = await t.get('/docs/events', null);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      asyncapi: '3.0.0',
      channels: { 'wechat.authorized': {}, 'authorizer.authorized': {} },
    });
  });

  it('come again for every subscriber when an event is replayed, and for the named ones only when some are', async () => {
    await publish('wx-replayed');
    const [row] = await settled('wx-replayed', 'test.first', 'done');
    await t.everythingDelivered();
    const all = (await t.query('select from delivery join event e using (position) where e.id = $1', [row!.event]))
      .length;
    const replay = (body?: unknown) => t.post(`/admin/wechat/events/${row!.event}/replay`, body);
    expect(await replay()).toMatchObject({ status: 202, body: { deliveries: all } });
    await eventually(() => expect(heardBy('test.first', 'wx-replayed')).toHaveLength(2));
    await eventually(() => expect(heardBy('test.second', 'wx-replayed')).toHaveLength(2));
    await settled('wx-replayed', 'test.first', 'done');
    await settled('wx-replayed', 'test.second', 'done');
    expect(await replay({ subscribers: ['test.second'] })).toMatchObject({ body: { deliveries: 1 } });
    await eventually(() => expect(heardBy('test.second', 'wx-replayed')).toHaveLength(3));
    expect(await settled('wx-replayed', 'test.second', 'done')).toMatchObject([{ status: 'processed' }]);
    expect(heardBy('test.first', 'wx-replayed')).toHaveLength(2);
    expect(await replay({ subscribers: ['test.nobody'] })).toMatchObject({ status: 400 });
    expect(await replay({ subscriber: 'test.second' })).toMatchObject({ status: 400 });
  });

  it('come again for nobody who has since dropped the subscription to such events', async () => {
    await publish('wx-dropped');
    const [row] = await settled('wx-dropped', 'test.second', 'done');
    await t.everythingDelivered();
    const subscribe = (types: string[]) =>
      t.query(`update subscriber set types = $1 where name = 'test.second'`, [types]);
    const [before] = await t.query<{ types: string[] }>(`select types from subscriber where name = 'test.second'`);
    await subscribe(['authorizer.updated']);
    const replayed = await t.post(`/admin/wechat/events/${row!.event}/replay`);
    await subscribe(before!.types);
    expect(replayed.status).toBe(202);
    await t.everythingDelivered();
    expect(heardBy('test.first', 'wx-dropped')).toHaveLength(2);
    expect(heardBy('test.second', 'wx-dropped')).toHaveLength(1);
  });

  it('are not doubled by a replay while they are under way', async () => {
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => (release = resolve));
    neighbours.first = () => held;
    await publish('wx-under-way');
    await settled('wx-under-way', 'test.second', 'done');
    await eventually(() => expect(heardBy('test.first', 'wx-under-way')).toHaveLength(1));
    const [row] = await rowsOf('wx-under-way', 'test.first');
    const { body } = await t.post(`/admin/wechat/events/${row!.event}/replay`, { subscribers: ['test.first'] });
    expect(body).toEqual({ deliveries: 0 });
    release();
    await settled('wx-under-way', 'test.first', 'done');
    expect(heardBy('test.first', 'wx-under-way')).toHaveLength(1);
    expect(await rowsOf('wx-under-way', 'test.first')).toMatchObject([{ status: 'processed' }]);
  });

  it('come again after what their line is handling, and before what waits in it', async () => {
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => (release = resolve));
    await publish('wx-in-between');
    const [again] = await settled('wx-in-between', 'test.first', 'done');
    neighbours.first = () => held;
    await publish('wx-in-between');
    await eventually(() => expect(heardBy('test.first', 'wx-in-between')).toHaveLength(2));
    await publish('wx-in-between');
    await t.post(`/admin/wechat/events/${again!.event}/replay`, { subscribers: ['test.first'] });
    release();
    const [, handled, waited] = await settled('wx-in-between', 'test.first', 'done');
    const order = heardBy('test.first', 'wx-in-between').map(({ id }) => id);
    expect(order).toEqual([again, handled, again, waited].map((row) => row!.event));
  });

  it('reach a subscriber added later by replay alone', async () => {
    await t.query(`delete from subscriber where name = 'test.first'`);
    await publish('wx-before');
    await settled('wx-before', 'test.second', 'done');
    await t.query(
      `insert into subscriber (component_app_id, name, types) values ($1, 'test.first', '{authorizer.attention_required}')`,
      [component()],
    );
    const [row] = await rowsOf('wx-before', 'test.second');
    await publish('wx-after');
    await settled('wx-after', 'test.first', 'done');
    expect(heardBy('test.first', 'wx-before')).toEqual([]);
    await t.post(`/admin/wechat/events/${row!.event}/replay`, { subscribers: ['test.first'] });
    await eventually(() => expect(heardBy('test.first', 'wx-before')).toHaveLength(1));
  });

  it('have their effects in the database exactly once by way of their transaction', async () => {
    let failures = 1;
    neighbours.first = (event, delivery) =>
      delivery.transaction(async (tx) => {
        await tx.query('insert into effect (event_id) values ($1)', [event.id]);
        if (failures-- > 0) throw new Error('after the insert, before the commit');
      });
    await publish('wx-once');
    const [row] = await settled('wx-once', 'test.first', 'done');
    expect(row!.attempts).toBe(2);
    expect(await t.query('select from effect where event_id = $1', [row!.event])).toHaveLength(1);
  });

  it('roll back what a process did that lost its lease meanwhile', async () => {
    let seen: unknown;
    neighbours.first = async (event, delivery) => {
      if (delivery.attempt > 1) return;
      await t.query('update delivery set lease = gen_random_uuid() where authorizer_app_id = $1 and subscriber = $2', [
        'wx-lost',
        'test.first',
      ]);
      seen = await delivery
        .transaction((tx) => tx.query('insert into effect (event_id) values ($1)', [event.id]))
        .catch((error: unknown) => error);
      await t.query(
        'update delivery set lease = null, due_at = now() where authorizer_app_id = $1 and subscriber = $2',
        ['wx-lost', 'test.first'],
      );
      throw seen;
    };
    await publish('wx-lost');
    const [row] = await settled('wx-lost', 'test.first', 'done');
    expect(seen).toMatchObject({ code: 'LEASE_LOST' });
    expect(await t.query('select from effect where event_id = $1', [row!.event])).toHaveLength(0);
  });

  it('mark the event superseded where its handler says that it changed nothing', async () => {
    neighbours.first = (_event, delivery) => {
      delivery.supersede();
      return Promise.resolve();
    };
    await publish('wx-superseded');
    await settled('wx-superseded', 'test.second', 'done');
    // Others are told of it too, and the event is at its end only with the last of them.
    await eventually(async () =>
      expect(await rowsOf('wx-superseded', 'test.first')).toMatchObject([{ state: 'done', status: 'superseded' }]),
    );
  });

  it('do not wait for light listeners, whose errors are only logged', async () => {
    neighbours.light = () => Promise.reject(new Error('a light listener failed'));
    await publish('wx-light');
    await settled('wx-light', 'test.first', 'done');
    await eventually(() => expect(t.logs.join('')).toContain('a light listener failed'));
    neighbours.light = () => new Promise(() => undefined);
    await publish('wx-light');
    await eventually(async () => expect(await settled('wx-light', 'test.first', 'done')).toHaveLength(2));
    expect(neighbours.overheard.map(({ authorizerAppId }) => authorizerAppId)).toEqual(['wx-light', 'wx-light']);
  });

  it('are heard by light listeners only after the commit, and never when there is none', async () => {
    const outbox = t.app.get(EventOutbox, { strict: false });
    const event = {
      type: 'authorizer.attention_required',
      componentAppId: component(),
      authorizerAppId: 'wx-rolled-back',
      data: { attention: 'profile_unavailable' },
    } as const;
    await expect(
      outbox.transaction(async (tx) => {
        await outbox.publish(tx, event);
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    await publish('wx-committed');
    await eventually(() => expect(neighbours.overheard).toHaveLength(1));
    expect(neighbours.overheard[0]!.authorizerAppId).toBe('wx-committed');
    expect(await rowsOf('wx-rolled-back', 'test.first')).toEqual([]);
  });

  it('are told to stop at shutdown, given back untried, and taken up by the next process', async () => {
    let aborted = false;
    neighbours.first = (_event, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(signal.reason as Error);
        });
      });
    await publish('wx-stopped');
    await eventually(() => expect(heardBy('test.first', 'wx-stopped')).toHaveLength(1));
    await t.stopApp();
    expect(aborted).toBe(true);
    expect(await rowsOf('wx-stopped', 'test.first')).toMatchObject([{ state: 'waiting', attempts: 0 }]);
    await t.startApp();
    expect(await settled('wx-stopped', 'test.first', 'done')).toMatchObject([{ attempts: 1 }]);
  });
});
