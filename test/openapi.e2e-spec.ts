import { RequestMethod } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { eventually } from './support/eventually.js';
import { KEYS, TestPlatform } from './support/platform.js';

type Json = Record<string, unknown>;
interface Media {
  schema?: Json;
  example?: unknown;
}
interface Operation {
  operationId: string;
  tags?: string[];
  description?: string;
  summary?: string;
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Json }[];
  requestBody?: { required?: boolean; content: Record<string, Media> };
  responses: Record<string, { description: string; content?: Record<string, Media>; headers?: Json }>;
}
interface Listed {
  items: unknown[];
  nextCursor: string | null;
}
interface Refusal {
  errors?: { field: string }[];
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; securitySchemes: Json };
  tags: { name: string }[];
}

/** Values that a schema of a query parameter allows, and values that it does not. */
function examplesOf(schema: Json): [good: string[], bad: string[]] {
  const {
    enum: values,
    type,
    format,
    minimum,
    maximum,
    minLength,
    maxLength,
  } = schema as Record<string, number> & Record<'type' | 'format', string> & { enum?: string[] };
  if (values) return [values, ['other', values[0]!.toUpperCase()]];
  if (type === 'integer')
    return [
      [String(minimum), String(maximum)],
      [String(minimum! - 1), String(maximum! + 1), `${minimum}.5`],
    ];
  if (format === 'date-time') return [['2026-11-21T10:00:00Z'], ['2026-11-21', '1795514400']];
  const bad = [...(minLength ? [''] : []), ...(maxLength ? ['x'.repeat(maxLength + 1)] : [])];
  return [['x', ...(maxLength ? ['字'.repeat(maxLength)] : [])], bad];
}

describe('the OpenAPI document', () => {
  let t: TestPlatform;
  let document: Document;
  let ajv: Ajv;
  beforeAll(async () => {
    t = await TestPlatform.start();
    document = (await t.get<Document>('/docs-json', null)).body;
    ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(ajv);
    ajv.addSchema(document, 'api');
  });
  afterAll(() => t.stop());

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
  const resolved = (schema: Json): Json =>
    typeof schema.$ref === 'string' ? document.components.schemas[schema.$ref.split('/').at(-1)!]! : schema;
  const complaintsAbout = (schema: Json, value: unknown) => {
    const local = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')) as Json;
    const validate = ajv.compile(local);
    return validate(value)
      ? []
      : validate.errors!.map(({ instancePath, message, params }) => ({ instancePath, message, params }));
  };

  it('has every route that there is', () => {
    const controllers = [...t.app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
    const real = controllers.flatMap(({ metatype }) => {
      if (Reflect.hasMetadata('swagger/apiExcludeController', metatype!)) return []; // The console is a page.
      const { prototype } = metatype as { prototype: Record<string, object> };
      const base = String(Reflect.getMetadata('path', metatype!));
      return Object.getOwnPropertyNames(prototype).flatMap((name) => {
        const method = Reflect.getMetadata('method', prototype[name]!) as RequestMethod | undefined;
        if (method === undefined) return [];
        const path = `/${base}/${String(Reflect.getMetadata('path', prototype[name]!))}`
          .replace(/\/+/g, '/')
          .replace(/(.)\/$/, '$1');
        return [`${RequestMethod[method].toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`];
      });
    });
    const documented = operations().map(({ method, path }) => `${method} ${path}`);
    expect(documented.sort()).toEqual([...new Set(real)].sort());
  });

  it('describes every route and parameter, and says of every answer what it is', () => {
    const words = expect.stringMatching(/\w/) as string;
    for (const { path, method, operation } of operations()) {
      const where = `${method} ${path}`;
      expect([where, operation.summary]).toEqual([where, words]);
      const chapters = document.tags.map(({ name }) => name);
      expect([where, operation.tags]).toEqual([where, [expect.stringMatching(`^(${chapters.join('|')})$`)]]);
      for (const { name, schema, description } of operation.parameters ?? [])
        expect([where, name, schema, description]).toEqual([where, name, expect.anything(), words]);
      const good = Object.entries(operation.responses).filter(([status]) => Number(status) < 400);
      expect([where, good.length]).toEqual([where, 1]);
      for (const [status, response] of Object.entries(operation.responses)) {
        expect([where, status, response.description]).toEqual([where, status, words]);
        if (status !== '303')
          expect([where, status, Object.keys(response.content ?? {})]).toEqual([where, status, [expect.any(String)]]);
      }
    }
  });

  it('answers whatever goes wrong as a problem, or as a page where merchants are', () => {
    for (const { path, method, operation } of operations())
      for (const [status, { content, headers }] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue;
        const isPage = path.startsWith('/social/') && !path.endsWith('/receiveEvent');
        const type = isPage ? 'text/html' : 'application/problem+json';
        expect([method, path, status, Object.keys(content ?? {})]).toEqual([method, path, status, [type]]);
        if (status === '429' || status === '503')
          expect([method, path, status, headers]).toEqual([
            method,
            path,
            status,
            { 'Retry-After': expect.anything() as unknown },
          ]);
      }
  });

  it('has one word for one thing', () => {
    const names = new Map<string, Set<string>>();
    const note = (name: string, schema: unknown) => {
      if (typeof schema !== 'object' || schema === null) return;
      const { enum: values, items } = schema as { enum?: unknown[]; items?: unknown };
      if (items) note(name, items);
      if (!values || values.length < 2) return;
      const key = JSON.stringify(values.filter((value) => value !== null).sort());
      names.set(key, (names.get(key) ?? new Set()).add(name));
    };
    const walk = (value: unknown) => {
      if (typeof value !== 'object' || value === null) return;
      const { properties, name, schema } = value as { properties?: object; name?: unknown; schema?: unknown };
      for (const [property, described] of Object.entries(properties ?? {})) note(property, described);
      if (typeof name === 'string') note(name, schema);
      Object.values(value).forEach(walk);
    };
    walk(document);
    expect(names.size).toBeGreaterThan(8);
    expect([...names].filter(([, words]) => words.size > 1).map(([key, words]) => [key, ...words])).toEqual([]);
  });

  it('says who may use a route, and how those are answered who may not', () => {
    for (const { path, method, operation } of operations()) {
      const isGuarded = /^\/(admin|internal)\//.test(path);
      expect([method, path, operation.security !== undefined]).toEqual([method, path, isGuarded]);
      if (!isGuarded) continue;
      expect([path, operation.description]).toEqual([
        path,
        expect.stringMatching(/Needs the role (viewer|operator|service)\./) as string,
      ]);
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400', '401', '403', '429']));
    }
  });

  it('has an example of every JSON answer and problem, and all of them fit', () => {
    for (const { path, method, operation } of operations())
      for (const [status, { content = {} }] of Object.entries(operation.responses))
        for (const [type, { schema }] of Object.entries(content)) {
          if (!type.includes('json')) continue;
          const where = `${method} ${path} ${status}`;
          const { example } = resolved(schema!);
          expect([where, example]).toEqual([where, expect.anything()]);
          expect([where, complaintsAbout(schema!, example)]).toEqual([where, []]);
        }
  });

  it('refers to nothing that is not there', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name,
    );
    expect(refs.length).toBeGreaterThan(20);
    expect(refs.filter((name) => !(name! in document.components.schemas))).toEqual([]);
    expect(JSON.stringify(document)).not.toContain('"override"');
  });

  it('gives numbers and times in a query as what they are', () => {
    const { parameters } = document.paths['/admin/wechat/events']!.get!;
    const schemas = Object.fromEntries(parameters!.map(({ name, schema }) => [name, schema]));
    expect(schemas.limit).toMatchObject({ type: 'integer', minimum: 1, maximum: 200 });
    expect(schemas.from).toMatchObject({ type: 'string', format: 'date-time' });
  });

  describe('is true', () => {
    let known: Record<string, string>;
    beforeAll(async () => {
      const { world } = t.sandbox;
      const [appId, other] = ['真实', '真的'].map(
        (nickName) => world.addAccount({ kind: 'mini_program', nickName }).appId,
      ) as [string, string];
      for (const account of [other, appId]) {
        await world.authorize(account, { funcIds: [17, 4711] });
        await eventually(async () =>
          expect((await t.get(`/admin/wechat/authorizers/${account}`)).body).toMatchObject({ status: 'authorized' }),
        );
      }
      await world.pushEvent('of_a_new_type', { AuthorizerAppid: appId });
      const { items } = (await t.get<{ items: { id: string }[] }>(`/admin/wechat/authorizers/${appId}/events`)).body;
      const make = () => t.post<{ id: string }>('/admin/wechat/authorization-links', { tenantId: 't' });
      const [link] = [(await make()).body, await make()];
      await t.everythingDelivered();
      await t.query(
        `update delivery set state = 'dead', finished_at = now() where id in (select min(id) from delivery group by subscriber)`,
      );
      await t.query(
        `update event e set open_deliveries = n, dead_deliveries = n
         from (select position, count(*) as n from delivery where state = 'dead' group by position) as d where d.position = e.position`,
      );
      const [delivery, another] = await t.query<{ id: string; subscriber: string }>(
        `select id::text, subscriber from delivery where state = 'dead' order by subscriber`,
      );
      for (let refused = 0; refused < 2; refused += 1)
        await t.request('POST', '/social/with/wechat/receiveEvent', { key: null, body: 'x' });
      await eventually(async () =>
        expect((await t.get<Listed>('/admin/wechat/rejections')).body.items.length).toBeGreaterThan(1),
      );
      known = {
        appId,
        event: items.at(-1)!.id,
        link: link.id,
        delivery: delivery!.id,
        subscriber: another!.subscriber,
      };
    });

    const idsIn = (path: string) =>
      path
        .replace('{appId}', known.appId!)
        .replace('events/{id}', `events/${known.event}`)
        .replace('deliveries/{id}', `deliveries/${known.delivery}`)
        .replace('authorization-links/{id}', `authorization-links/${known.link}`)
        .replace('{linkId}', known.link!);
    const bodyFor = (method: string, path: string): unknown => {
      if (method === 'get') return undefined;
      if (path.endsWith('/resolve')) return { authorizerAppId: known.appId, resolution: 'keep' };
      if (path.endsWith('/deliveries/retry')) return { subscriber: known.subscriber };
      return path.endsWith('/authorization-links') ? { tenantId: 't-1', state: '状态', authType: 3 } : undefined;
    };
    const keyFor = (path: string) => (path.startsWith('/internal') ? KEYS.service : KEYS.operator);
    const expectDocumented = (
      where: string,
      operation: Operation,
      answer: { status: number; headers: Headers; text: string },
    ) => {
      const documented = operation.responses[answer.status] ?? operation.responses.default;
      expect([where, answer.status, documented]).toEqual([where, answer.status, expect.anything()]);
      if (!documented!.content) return;
      const type = answer.headers.get('content-type')!.split(';')[0]!;
      expect([where, answer.status, Object.keys(documented!.content)]).toEqual([where, answer.status, [type]]);
      if (!type.includes('json')) return;
      expect([where, complaintsAbout(documented!.content[type]!.schema!, JSON.parse(answer.text))]).toEqual([
        where,
        [],
      ]);
    };

    it('of every route, asked as it should be', async () => {
      const unsuccessful: string[] = [];
      for (const { path, method, operation } of operations()) {
        const where = `${method} ${path}`;
        const isPush = where.startsWith('post /social/with/wechat/receiveEvent');
        if (isPush) continue;
        const answer = await t.request(method.toUpperCase(), idsIn(path), {
          key: keyFor(path),
          body: bodyFor(method, path),
        });
        expectDocumented(where, operation, answer);
        if (answer.status >= 400) unsuccessful.push(`${where} ${answer.status}`);
      }
      // The link has no conflict, and no merchant came back from WeChat.
      expect(unsuccessful.sort()).toEqual([
        'get /social/with/wechat/authorized 400',
        'post /admin/wechat/authorization-links/{id}/resolve 409',
      ]);
    });

    it('of the push', async () => {
      const operation = document.paths['/social/with/wechat/receiveEvent']!.post!;
      const [push] = await t.sandbox.world.pushTicket();
      expect(push).toMatchObject({ accepted: true });
      expectDocumented(
        'push',
        operation,
        await t.request('POST', '/social/with/wechat/receiveEvent', { key: null, body: {} }),
      );
    });

    it.each([
      ['nobody', null, 401],
      ['a stranger', 'stranger', 401],
      ['a service', KEYS.service, 403],
    ] as const)('of what %s is told', async (_, key, status) => {
      for (const { path, method, operation } of operations().filter((each) => each.path.startsWith('/admin/'))) {
        const answer = await t.request(method.toUpperCase(), idsIn(path), { key });
        expect([path, answer.status]).toEqual([path, status]);
        expectDocumented(`${method} ${path}`, operation, answer);
      }
    });

    it('of what is asked of every parameter', async () => {
      for (const { path, operation } of operations().filter((each) => each.method === 'get')) {
        if (!path.startsWith('/admin/')) continue;
        for (const { name, schema } of operation.parameters!.filter((parameter) => parameter.in === 'query')) {
          const [good, bad] = examplesOf(schema!);
          for (const [values, isGood] of [
            [name === 'cursor' ? [] : good, true],
            [bad, false],
          ] as const)
            for (const value of values) {
              const answer = await t.get(
                `${idsIn(path)}?${new URLSearchParams({ [name]: value }).toString()}`,
                keyFor(path),
              );
              expect([path, name, value, answer.status]).toEqual([path, name, value, isGood ? 200 : 400]);
            }
        }
      }
    });

    it('of whether a body may be left out', async () => {
      const withBody = operations().filter(
        ({ path, operation }) => operation.requestBody && /^\/(admin|internal)\//.test(path),
      );
      expect(withBody.length).toBeGreaterThan(4);
      const isRequired = withBody.map(({ method, path, operation }) => [method, path, operation.requestBody!.required]);
      const isRefused = [];
      for (const { path, method } of withBody) {
        const { status } = await t.request(method.toUpperCase(), idsIn(path), { key: keyFor(path) });
        isRefused.push([method, path, status === 400]);
      }
      expect(isRequired).toEqual(isRefused);
    });

    it('of cursors: each goes on in its own list with its own filters, and nowhere else', async () => {
      const lists = operations().filter(({ operation }) => operation.parameters?.some(({ name }) => name === 'cursor'));
      expect(lists.length).toBeGreaterThan(6);
      const ask = (path: string, query: Record<string, string>) =>
        t.get<Listed & Refusal>(`${idsIn(path)}?${new URLSearchParams(query).toString()}`);
      const cursors = new Map<string, string>();
      for (const { path, operation } of lists) {
        const answer = await ask(path, { limit: '1' });
        const { body } = answer;
        expectDocumented(path, operation, answer);
        expect([path, body]).toMatchObject([path, { nextCursor: expect.any(String) as string }]);
        cursors.set(path, body.nextCursor!);
      }
      const refuses = async (path: string, query: Record<string, string>) => {
        const { status, body } = await ask(path, query);
        const fields = body.errors?.map(({ field }) => field);
        expect([path, query, status, fields]).toEqual([path, query, 400, ['cursor']]);
      };
      for (const { path, operation } of lists) {
        const cursor = cursors.get(path)!;
        for (const limit of ['1', '200'])
          expect([path, (await ask(path, { cursor, limit })).status]).toEqual([path, 200]);
        for (const [list, foreign] of cursors) if (list !== path) await refuses(path, { cursor: foreign });
        for (const { name, schema } of operation.parameters!) {
          if (['cursor', 'limit', 'appId'].includes(name)) continue;
          const other = examplesOf(schema!)[0].find((value) => value !== schema!.default);
          await refuses(path, { cursor, [name]: other! });
        }
      }
    });

    it('of what is not there and what is not understood', async () => {
      for (const { path, method, operation } of operations().filter((each) =>
        /^\/(admin|internal)\//.test(each.path),
      )) {
        const wrong = await t.request(method.toUpperCase(), `${idsIn(path)}?colour=red`, { key: keyFor(path) });
        expect([path, wrong.status]).toEqual([path, 400]);
        expectDocumented(`${method} ${path}`, operation, wrong);
        if (!path.includes('{')) continue;
        const missing = await t.request(method.toUpperCase(), path.replace(/\{\w+\}/, 'wxnobody'), {
          key: keyFor(path),
          body: bodyFor(method, path),
        });
        expect([path, missing.status]).toEqual([path, 404]);
        expectDocumented(`${method} ${path}`, operation, missing);
      }
    });
  });

  it('is shown by a page that fetches nothing from elsewhere', async () => {
    const page = await t.get('/docs', null);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    const assets = [...page.text.matchAll(/(?:src|href)=["']([^"']+)["']/g)].map(([, address]) => address!);
    expect(assets.length).toBeGreaterThan(3);
    for (const address of assets.filter((each) => !each.startsWith('#'))) {
      const url = new URL(address, `${t.url}/docs`);
      expect(url.origin).toBe(t.url);
      expect([address, (await t.get(url.pathname, null)).status]).toEqual([address, 200]);
    }
  });
});
