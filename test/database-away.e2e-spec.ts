import { eventually } from './support/eventually.js';
import { KEYS, TestPlatform } from './support/platform.js';
import { eventXml, seal } from './support/sealed-push.js';
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.js';

/** Says who asks, which the key alone tells. */
const WITHOUT_DATABASE = '/admin/wechat/caller';
const isGuarded = (path: string) => /^\/(admin|internal)\//.test(path);

interface Document {
  paths: Record<string, Record<string, object>>;
}

describe('while the database is away', () => {
  let t: TestPlatform;
  let wire: TcpProxy;
  beforeAll(async () => {
    const server = new URL(process.env.TEST_DATABASE_URL ?? '');
    wire = await startTcpProxy({ host: server.hostname, port: Number(server.port) });
    t = await TestPlatform.start({
      ticket: false,
      through: (url) => Object.assign(new URL(url), { port: String(wire.port) }).href,
    });
  });
  afterAll(async () => {
    wire.become('open');
    await t.stop();
    await wire.close();
  });
  afterEach(() => wire.become('open'));

  const push = async (infoType: string, timeoutMs?: number) => {
    const { query, body } = seal(eventXml(infoType));
    const url = `${t.url}/social/with/wechat/receiveEvent?${new URLSearchParams(query).toString()}`;
    const signal = timeoutMs === undefined ? null : AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { method: 'POST', body, signal });
    return { status: response.status, text: await response.text() };
  };

  it.each(['cut', 'hanging'] as const)(
    'a push is answered 503 within the 4 s WeChat waits for us: %s',
    async (state) => {
      wire.become(state);
      const answer = await push(`away_${state}`, 4_000);
      expect(answer.status).toBe(503);
      expect(answer.text).not.toContain('success');
      wire.become('open');
      await eventually(async () => expect(await push(`back_${state}`)).toEqual({ status: 200, text: 'success' }));
    },
  );

  it('the process is alive, not ready, and ready again by itself', async () => {
    const status = async (path: string) => (await t.get(path, null)).status;
    await eventually(async () => expect(await status('/health/ready')).toBe(200));
    wire.become('cut');
    expect(await status('/health/live')).toBe(200);
    await eventually(async () => expect(await status('/health/ready')).toBe(503));
    wire.become('open');
    await eventually(async () => expect(await status('/health/ready')).toBe(200));
  });

  describe.each(['cut', 'hanging'] as const)('and its connections are %s', (state) => {
    beforeEach(() => wire.become(state));
    /** Far more than it takes, and far less than anybody would wait in vain. */
    const WITHIN_MS = 20_000;
    const ask = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
      fetch(new URL(path, t.url), {
        method,
        redirect: 'manual',
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        signal: AbortSignal.timeout(WITHIN_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });

    it('every route of admins and services tells them to come back', async () => {
      const { paths } = (await t.get<Document>('/docs-json', null)).body;
      const guarded = Object.entries(paths).filter(([path]) => isGuarded(path) && path !== WITHOUT_DATABASE);
      const routes = guarded.flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => [method, path] as const),
      );
      expect(routes.length).toBeGreaterThan(18);
      await Promise.all(
        routes.map(async ([method, path]) => {
          const authorization = `Bearer ${path.startsWith('/internal/') ? KEYS.service : KEYS.operator}`;
          const answer = await ask(method.toUpperCase(), idsIn(path), { authorization }, bodyFor(method, path));
          const problem = (await answer.json()) as object;
          expect([method, path, answer.status, problem]).toEqual([
            ...[method, path, 503],
            { type: 'about:blank', title: expect.any(String) as string, status: 503, code: 'DATABASE_UNAVAILABLE' },
          ]);
          expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
          expect([method, path, Number(answer.headers.get('retry-after'))]).toEqual([method, path, 5]);
        }),
      );
    }, 60_000);

    it.each([
      ['zh-CN', '服务暂时不可用'],
      ['en', 'Not available for the moment'],
    ])(
      'merchants see a page that says so and tries again: %s',
      async (language, title) => {
        const pages = [
          ['GET', `/social/with/wechat/authorize/${'a'.repeat(32)}`],
          ['POST', `/social/with/wechat/authorize/${'a'.repeat(32)}`],
          ['GET', '/social/with/wechat/authorized?auth_code=queryauthcode@@@abc&expires_in=600'],
        ] as const;
        await Promise.all(
          pages.map(async ([method, path]) => {
            const answer = await ask(method, path, { 'accept-language': language });
            expect([method, path, answer.status]).toEqual([method, path, 503]);
            expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
            expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
            const html = await answer.text();
            expect(html).toContain(`<h1>${title}</h1>`);
            expect(html).toContain('<meta http-equiv="refresh" content="10" />');
          }),
        );
      },
      60_000,
    );
  });

  const idsIn = (path: string) =>
    path
      .replace('{appId}', 'wx1234567890abcdef')
      .replace('events/{id}', 'events/7b0d8c1e-54c0-8f3a-9a52-0f6a6d1b8d11')
      .replace('deliveries/{id}', 'deliveries/1')
      .replace('authorization-links/{id}', `authorization-links/${'a'.repeat(32)}`);
  const bodyFor = (method: string, path: string) => {
    if (method === 'get') return undefined;
    if (path.endsWith('/resolve')) return { resolution: 'keep' };
    if (path.endsWith('/deliveries/retry')) return { subscriber: 'authorizer.record' };
    return path.endsWith('/authorization-links') ? {} : undefined;
  };

  it('deliveries go on when it is back', async () => {
    wire.become('cut');
    await eventually(async () => expect((await t.get('/health/ready', null)).status).toBe(503));
    wire.become('open');
    const { appId } = t.sandbox.world.addAccount({ kind: 'service_account' });
    await eventually(async () => expect(await t.sandbox.world.pushTicket()).toMatchObject([{ accepted: true }]));
    await eventually(async () =>
      expect(await t.sandbox.world.authorize(appId)).toMatchObject({ push: { accepted: true } }),
    );
    await eventually(
      async () =>
        expect(await t.get(`/admin/wechat/authorizers/${appId}`)).toMatchObject({ body: { status: 'authorized' } }),
      40_000, // Attempts that failed while it was coming back are made again after 1, 3 and 9 s.
    );
  }, 90_000);
});
