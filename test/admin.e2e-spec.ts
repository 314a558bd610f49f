import fc from 'fast-check';
import { request } from 'node:http';
import { eventually } from './support/eventually.js';
import { KEYS, TestPlatform } from './support/platform.js';

interface Problem {
  status: number;
  code: string;
  title: string;
  errors?: { field: string; message: string }[];
}
interface Operation {
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: { properties?: Record<string, unknown> } }> };
}

const HOSTILE: Record<string, string> = {
  NUL: '%00',
  'NUL in the middle': 'a%00b',
  'half a character': '%ED%A0%80',
  'bytes that are no UTF-8': '%FF%FE',
  'ten thousand letters': 'x'.repeat(10_000),
  'five thousand Chinese ones': encodeURIComponent('字'.repeat(5_000)),
  SQL: encodeURIComponent(`' or 1=1; drop table event; --`),
  'a path': '..%2f..%2fetc%2fpasswd',
  'a format': encodeURIComponent('%s%n{{7*7}}${7*7}'),
  'directions and joiners': encodeURIComponent('\u202e\u200d\ufeff👨‍👩‍👧'),
  'a prototype': '__proto__',
  'a number too large': '9'.repeat(40),
  'a negative number': '-1',
  emptiness: '',
};

describe('the admin API', () => {
  let t: TestPlatform;
  let document: { paths: Record<string, Record<string, Operation>> };
  beforeAll(async () => {
    t = await TestPlatform.start();
    document = (await t.get<typeof document>('/docs-json', null)).body;
  });
  afterAll(() => t.stop());

  const operations = () =>
    Object.entries(document.paths)
      .filter(([path]) => path.startsWith('/admin/') || path.startsWith('/internal/'))
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
      );
  const keyFor = (path: string) => (path.startsWith('/internal/') ? KEYS.service : KEYS.operator);
  const filled = (path: string, value = 'x') => path.replace(/\{\w+\}/g, value);
  /** Asks again when it asked too often: nobody here is curious about that. */
  const raw = (...asked: Parameters<typeof send>) =>
    eventually(async () => {
      const answer = await send(...asked);
      expect(answer.status).not.toBe(429);
      return answer;
    });
  /** As it stands: fetch would put the path in order first. */
  const send = (
    method: string,
    path: string,
    key: string | null = KEYS.operator,
    body?: string,
    type = 'application/json',
  ) =>
    new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
      const headers = {
        ...(key && { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': type }),
      };
      const { hostname, port } = new URL(t.url);
      const sent = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode!,
            type: answer.headers['content-type'] ?? '',
            text: Buffer.concat(chunks).toString(),
          }),
        );
      });
      sent.on('error', reject).end(body);
    });
  const expectCivil = (answer: { status: number; type: string; text: string }, what: string) => {
    expect([what, answer.status < 500, answer.text.slice(0, 200)]).toEqual([what, true, expect.any(String)]);
    if (answer.status >= 400) {
      expect([what, answer.type]).toEqual([what, expect.stringContaining('application/problem+json') as string]);
      expect(JSON.parse(answer.text)).toMatchObject({
        type: 'about:blank',
        status: answer.status,
        title: expect.any(String) as string,
      });
    }
  };

  describe('given something hostile', () => {
    it.each(Object.entries(HOSTILE))('answers calmly to %s in every query parameter', async (_, value) => {
      for (const { path, method, operation } of operations()) {
        for (const { name } of operation.parameters?.filter((parameter) => parameter.in === 'query') ?? []) {
          const answer = await raw(method.toUpperCase(), `${filled(path)}?${name}=${value}`, keyFor(path));
          expectCivil(answer, `${method} ${path} ${name}`);
          if (value.includes('%00'))
            expect([path, name, answer.status]).toEqual([path, name, path.includes('{') ? expect.any(Number) : 400]);
        }
      }
    });

    it.each(Object.entries(HOSTILE).filter(([what]) => what !== 'emptiness'))(
      'finds nothing at a path with %s in it',
      async (_, value) => {
        for (const { path, method } of operations().filter((operation) => operation.path.includes('{'))) {
          const answer = await raw(
            method.toUpperCase(),
            filled(path, value),
            keyFor(path),
            method === 'post' ? '{}' : undefined,
          );
          expectCivil(answer, `${method} ${path}`);
          expect([path, [400, 404, 414, 431].includes(answer.status) || answer.status]).toEqual([path, true]);
        }
      },
    );

    it('takes each parameter once', async () => {
      for (const { path, operation } of operations().filter(
        ({ method, path }) => method === 'get' && !path.includes('{'),
      ))
        for (const { name } of operation.parameters ?? []) {
          const answer = await raw('GET', `${path}?${name}=1&${name}=2`);
          expect([path, name, answer.status]).toEqual([path, name, 400]);
          expect((JSON.parse(answer.text) as Problem).errors).toMatchObject([{ field: name }]);
        }
    });

    it.each([
      ['a body that is no JSON', '{'],
      ['a list', '[]'],
      ['a text', '"x"'],
      ['null', 'null'],
      ['a deep nest', '['.repeat(20_000) + ']'.repeat(20_000)],
      ['a deep nest in a field', `{"tenantId":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
      ['a prototype', '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}'],
      [
        'NUL in every field',
        '{"tenantId":"a\\u0000","state":"\\u0000","subscriber":"\\u0000","resolution":"\\u0000","invalidToken":"\\u0000"}',
      ],
      ['half a character', '{"tenantId":"\\ud800","state":"\\udc00x","subscriber":"\\ud800","invalidToken":"\\ud800"}'],
      ['numbers for texts', '{"tenantId":1,"state":2e999,"subscriber":-0,"invalidToken":1}'],
    ])('answers calmly to %s as a body', async (_, body) => {
      for (const { path, method } of operations().filter(({ method }) => method === 'post'))
        expectCivil(await raw(method.toUpperCase(), filled(path), keyFor(path), body), `${method} ${path}`);
    });

    it.each(['application/json', 'application/x-www-form-urlencoded', 'text/plain'])(
      'takes a body without bytes for none, though it is called %s',
      async (type) => {
        const answer = await raw('POST', '/admin/wechat/authorization-links', KEYS.operator, '', type);
        expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('"status":"pending"')]);
      },
    );

    it('answers 413 to a body over 64 KiB', async () => {
      const body = JSON.stringify({ tenantId: 'x'.repeat(70_000) });
      const answer = await raw('POST', '/admin/wechat/authorization-links', KEYS.operator, body);
      expect([answer.status, (JSON.parse(answer.text) as Problem).code]).toEqual([413, 'BODY_TOO_LARGE']);
    });
  });

  describe('given anything at all', () => {
    const anyBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    const anyText = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom(
        '\0',
        'a\0b',
        '[]',
        '{}',
        'null',
        '-0',
        '1e3',
        '９',
        '\u202e',
        "' or 1=1 --",
        '%',
        '%00',
        '../..',
      ),
      fc.constantFrom('2026-11-21T10:00:00Z', '1', '200', 'dead', 'authorized', 'WyIiLCIxIl0'),
    );
    const anything = fc.oneof(
      anyBytes,
      anyText.map((text) => Buffer.from(text)),
    );
    const anyRoute = fc.nat().map((index) => operations()[index % operations().length]!);
    const escaped = (bytes: Buffer) => [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    const known = ({ operation }: { operation: Operation }) =>
      operation.parameters?.filter((parameter) => parameter.in === 'query').map(({ name }) => name) ?? [];
    const namesFor = (route: { operation: Operation }) =>
      fc.oneof(
        ...known(route).flatMap((name) => [
          fc.constant(name),
          fc.constantFrom(`${name}[]`, `${name}[0]`, `${name}[$ne]`, `${name}[__proto__]`, `${name}\0`, ` ${name}`),
        ]),
        fc.constantFrom('__proto__', 'constructor', 'toString', 'length'),
        anyText,
      );
    const anyQuery = anyRoute.chain((route) =>
      fc.record({
        route: fc.constant(route),
        query: fc.array(fc.tuple(namesFor(route), anything), { minLength: 1, maxLength: 4 }),
      }),
    );
    const check = <T>(property: fc.IAsyncProperty<T>) => fc.assert(property, { numRuns: 250 });

    it('answers calmly to any query, and refuses what it does not know or has twice', async () => {
      const asked = anyQuery.map(({ route, query }) => {
        const names = query.map(([name]) => name);
        const fields = query.map(([name, value]) => `${escaped(Buffer.from(name))}=${escaped(value)}`);
        return {
          method: route.method.toUpperCase(),
          path: `${filled(route.path)}?${fields.join('&')}`,
          names,
          isStrange:
            names.some((name) => name !== '' && !known(route).includes(name)) || new Set(names).size < names.length,
        };
      });
      await check(
        fc.asyncProperty(asked, async ({ method, path, isStrange }) => {
          const answer = await raw(method, path, keyFor(path));
          expectCivil(answer, `${method} ${path}`);
          if (isStrange) expect([method, path, answer.status]).toEqual([method, path, 400]);
        }),
      );
    }, 60_000);

    it('answers calmly to anything in a path', async () => {
      const asked = fc.tuple(anyRoute, anything).map(([{ path, method }, value]) => ({
        method: method.toUpperCase(),
        path: filled(path, escaped(value)),
      }));
      await check(
        fc.asyncProperty(asked, async ({ method, path }) =>
          expectCivil(await raw(method, path, keyFor(path)), `${method} ${path}`),
        ),
      );
    }, 60_000);

    it('answers calmly to any body of any type', async () => {
      const fields = fc.constantFrom('tenantId', 'state', 'returnUrl', 'permissionIds', 'subscriber', 'subscribers');
      const values = fc.oneof(fc.jsonValue(), anyText, fc.array(anyText, { maxLength: 3 }));
      const body = fc.oneof(
        fc.dictionary(fc.oneof(fields, anyText), values, { maxKeys: 4 }).map((object) => JSON.stringify(object)),
        fc.json(),
        anyText,
      );
      const type = fc.constantFrom('application/json', 'application/json; charset=utf-16', 'text/plain', 'x/y', '');
      const posts = operations().filter(({ method }) => method === 'post');
      const path = fc.nat().map((index) => filled(posts[index % posts.length]!.path));
      await check(
        fc.asyncProperty(path, body, type, async (to, sent, contentType) =>
          expectCivil(await raw('POST', to, keyFor(to), sent, contentType), `${to} ${contentType} ${sent}`),
        ),
      );
    }, 60_000);
  });

  it('names every parameter and field that it does not know', async () => {
    for (const { path, method } of operations()) {
      const send = method === 'post' ? '{"colour":"red"}' : undefined;
      const answer = await raw(method.toUpperCase(), `${filled(path)}?colour=red`, keyFor(path), send);
      expect([method, path, answer.status]).toEqual([method, path, 400]);
      expect([path, (JSON.parse(answer.text) as Problem).errors]).toEqual([
        path,
        expect.arrayContaining([{ field: 'colour', message: 'is not a known field' }]) as unknown,
      ]);
    }
  });

  it('lists every field that is wrong', async () => {
    const { body } = await t.get<Problem>('/admin/wechat/authorizers?status=gone&limit=0&attention=x&colour=red');
    expect(body.errors?.map(({ field }) => field).sort()).toEqual(['attention', 'colour', 'limit', 'status']);
  });

  describe('asked for a time', () => {
    const timed = () =>
      operations().filter(({ operation }) => operation.parameters?.some(({ name }) => name === 'from'));

    it.each([
      '2026-11-21T10:00:00Z',
      '2026-11-21T10:00:00.123456%2B08:00',
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:59.999Z',
    ])('takes %s', async (time) => {
      expect(timed().length).toBeGreaterThan(1);
      for (const { path } of timed())
        for (const name of ['from', 'to'])
          expect([path, name, (await raw('GET', `${path}?${name}=${time}`)).status]).toEqual([path, name, 200]);
    });

    it.each([
      '0000-01-01T00:00:00Z',
      '0000-12-31T23:59:59%2B14:00',
      '0001-01-01T00:00:00%2B14:00',
      '9999-12-31T23:59:59-14:00',
    ])('answers calmly to %s', async (time) => {
      for (const { path } of timed())
        for (const name of ['from', 'to']) expectCivil(await raw('GET', `${path}?${name}=${time}`), `${path} ${name}`);
    });

    it.each([
      'yesterday',
      '2026-11-21',
      '2026-02-30T00:00:00Z',
      '2026-11-21T25:00:00Z',
      '1795514400',
      '2026-11-21T10:00:00',
      '%2B010000-01-01T00:00:00Z',
    ])('refuses %s', async (time) => {
      for (const { path } of timed())
        expect([path, (await raw('GET', `${path}?from=${time}`)).status]).toEqual([path, 400]);
    });
  });

  describe('asked for a page', () => {
    const lists = () =>
      operations().filter(({ operation }) => operation.parameters?.some(({ name }) => name === 'limit'));

    it('of 1 to 200 things and nothing else', async () => {
      expect(lists().length).toBeGreaterThan(5);
      for (const { path } of lists().filter((list) => !list.path.includes('{'))) {
        for (const limit of ['1', '200', '007'])
          expect([path, limit, (await raw('GET', `${path}?limit=${limit}`)).status]).toEqual([path, limit, 200]);
        for (const limit of [
          '0',
          '201',
          '-1',
          'abc',
          '1.5',
          '1e1',
          '0x10',
          '',
          '%20',
          'NaN',
          'Infinity',
          '9'.repeat(30),
        ])
          expect([path, limit, (await raw('GET', `${path}?limit=${limit}`)).status]).toEqual([path, limit, 400]);
      }
    });

    it.each([
      ['/admin/wechat/events', () => t.sandbox.world.pushTicket()],
      ['/admin/wechat/deliveries?status=done', () => t.sandbox.world.pushTicket()],
      ['/admin/wechat/authorization-links', () => t.post('/admin/wechat/authorization-links', {})],
      ['/admin/wechat/audit', () => t.post('/admin/wechat/authorization-links', {})],
    ] as const)('of %s goes on where it was, whatever comes in between', async (path, more) => {
      const ask = async (query: string) =>
        (
          await t.get<{ items: { id: string }[]; nextCursor: string | null }>(
            `${path}${path.includes('?') ? '&' : '?'}${query}`,
          )
        ).body;
      for (let round = 0; round < 3; round++) await more();
      await eventually(async () => expect((await ask('limit=3')).items).toHaveLength(3));
      await eventually(async () => expect(await t.query(`select 1 from delivery where state <> 'done'`)).toEqual([]));
      const before = (await ask('limit=200')).items.map(({ id }) => id);
      const first = await ask('limit=1');
      const start = before.indexOf(first.items[0]!.id);
      await more();
      const second = await ask(`limit=2&cursor=${first.nextCursor}`);
      expect(second.items.map(({ id }) => id)).toEqual(before.slice(start + 1, start + 3));
    });

    it('refuses a cursor that it did not give, by name and beside whatever else is wrong', async () => {
      const made = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
      const { body } = await t.get<Problem>('/admin/wechat/audit?cursor=x&limit=0');
      expect(body.errors?.map(({ field }) => field)).toEqual(['limit', 'cursor']);
      const first = lists().map(({ path }) => t.get<{ nextCursor: string | null }>(`${filled(path)}?limit=1`));
      const marks = (await Promise.all(first)).flatMap(({ body }) =>
        body.nextCursor ? (JSON.parse(Buffer.from(body.nextCursor, 'base64url').toString()) as string[])[0]! : [],
      );
      const cursors = [
        'x',
        '',
        'bnVsbA',
        made(),
        made('1', '2', '3'),
        made(1),
        made('-1'),
        made('9'.repeat(30)),
        made("1'"),
        made('1\u0000'),
        made('\u0000', '1'),
        made('2026', 'x'),
        made('99999999999999', '1'),
        ...marks.flatMap((mark) => [made(mark), made(mark, 'x'), made(mark, '1', 'x'), made(mark, '1', '2', '3')]),
        made({ a: 1 }),
        made(['1']),
        Buffer.from('{"0":"1"}').toString('base64url'),
        'A'.repeat(3_000),
      ];
      for (const { path } of lists().filter((list) => !list.path.includes('{')))
        for (const cursor of cursors)
          expect([path, cursor, (await raw('GET', `${path}?cursor=${cursor}`)).status]).toEqual([path, cursor, 400]);
    });

    it('refuses the cursor of a search without the search, and the other way round', async () => {
      await t.query(
        `insert into authorizer (component_app_id, app_id) select $1, 'wxpaged' || n from generate_series(1, 3) as n`,
        [t.env.platform.appId],
      );
      const ask = (query: string) =>
        t.get<Problem & { nextCursor: string }>(`/admin/wechat/authorizers?limit=1&${query}`);
      const [list, search] = [(await ask('')).body.nextCursor, (await ask('q=wxpaged')).body.nextCursor];
      for (const [cursor, right, wrong] of [
        [list, '', ['q=wxpaged&']],
        [search, 'q=wxpaged&', ['', 'q=wxpage&']],
      ] as const) {
        expect((await ask(`${right}cursor=${cursor}`)).status).toBe(200);
        for (const query of wrong)
          expect(await ask(`${query}cursor=${cursor}`)).toMatchObject({
            status: 400,
            body: { errors: [{ field: 'cursor' }] },
          });
      }
    });
  });
});
