import { type Receiver, startReceiver } from '../../test/receiver.js';
import { createSandbox, type Sandbox } from '../create-sandbox.js';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('the control API', () => {
  let receiver: Receiver;
  let sandbox: Sandbox;
  let appId: string;

  beforeEach(async () => {
    receiver = await startReceiver();
    sandbox = await createSandbox({ ticketEverySeconds: 0, pushUrl: receiver.url });
    appId = sandbox.world.accounts.first(1)[0]?.appId ?? '';
  });
  afterEach(async () => {
    await sandbox.close();
    await receiver.close();
  });

  const get = async (path: string): Promise<unknown> => (await fetch(`${sandbox.url}${path}`)).json();
  const post = (path: string, body: unknown, headers: Record<string, string> = JSON_TYPE): Promise<Response> =>
    fetch(`${sandbox.url}/sandbox/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const done = async (path: string, body: unknown): Promise<unknown> => {
    const response = await post(path, body);
    expect(response.status).toBe(200);
    return response.json();
  };

  it('lists its routes with the bodies they take', async () => {
    const routes = (await get('/sandbox')) as { method: string; path: string }[];
    expect(routes).toContainEqual(
      expect.objectContaining({ method: 'POST', path: '/sandbox/revoke', body: expect.anything() as object }),
    );
    expect(routes.every(({ path }) => path === '/sandbox' || path.startsWith('/sandbox/'))).toBe(true);
  });

  it('authorizes, updates and revokes, and shows it', async () => {
    expect(await done('authorize', { appId, funcIds: [1] })).toMatchObject({
      change: 'authorized',
      push: { accepted: true },
    });
    expect(await get('/sandbox/state')).toMatchObject({
      totals: { authorized: 1 },
      accounts: expect.arrayContaining([
        expect.objectContaining({
          appId,
          grant: expect.objectContaining({ funcIds: [1], exchanged: false }) as object,
        }),
      ]) as unknown[],
    });
    expect(await done('authorize', { appId, funcIds: [1, 2] })).toMatchObject({ change: 'updated' });
    expect(await done('revoke', { appId })).toMatchObject({ push: { infoType: 'unauthorized' } });
    expect(await get('/sandbox/state')).toMatchObject({ totals: { authorized: 0 } });
  });

  it('pushes, holds, releases, repeats and shows what the server answered', async () => {
    await done('ticket', { times: 2 });
    await done('hold', {});
    await done('push', { infoType: 'notify_icpfiling_verify_result', fields: { list: [{ task_id: 'a' }], result: 3 } });
    await done('release', { order: 'reversed' });
    await done('repeat', { resealed: true });
    await done('push-xml', { xml: '<xml/>' });
    expect(await get('/sandbox/pushes')).toMatchObject([
      { xml: '<xml/>', answer: 'success' },
      { repeatOf: 3 },
      { infoType: 'notify_icpfiling_verify_result', accepted: true },
      { infoType: 'component_verify_ticket' },
      { infoType: 'component_verify_ticket' },
    ]);
  });

  it('plans faults, counts calls and forgets both', async () => {
    const { id } = (await done('faults', { kind: 'errcode', errcode: 45009, path: 'api_component_token' })) as {
      id: number;
    };
    const call = await fetch(`${sandbox.url}/cgi-bin/component/api_component_token`, { method: 'POST', body: '{}' });
    expect(await call.json()).toMatchObject({ errcode: 45009 });
    expect(await get('/sandbox/counters')).toMatchObject({
      paths: { '/cgi-bin/component/api_component_token': { calls: 1, faults: 1 } },
    });
    await done('faults/clear', { id });
    await done('counters/reset', {});
    expect(await get('/sandbox/state')).toMatchObject({ faults: [] });
    expect(await get('/sandbox/counters')).toEqual({ paths: {}, codes: {}, authorizerTokens: {} });
  });

  it('adds accounts, one or many, and changes what WeChat leaves open', async () => {
    expect(await done('accounts', { kind: 'store', nickName: '新店' })).toMatchObject({
      nickName: '新店',
      grant: null,
    });
    expect(await done('authorizers', { count: 3, exchanged: false })).toEqual({ added: 3 });
    await done('status', { appId, status: 'banned' });
    await done('behaviour', { rotateOnRefresh: true });
    await done('delay', { ms: 5 });
    await done('receiver', { url: null });
    expect(await get('/sandbox/state')).toMatchObject({
      receiver: null,
      delayMs: 5,
      behaviour: { rotateOnRefresh: true, redirectsWithAnotherCode: false },
      totals: { accounts: 14, authorized: 3 },
    });
    expect(await done('fast-register', { nickName: '快注' })).toMatchObject({
      push: { error: 'No receive URL is set' },
    });
    await done('refresh-token', { appId: sandbox.world.accounts.authorized()[0]?.appId });
    await done('expire', { what: 'tickets' });
  });

  it.each([
    ['an unknown field', 'revoke', { appId: 'wx', now: true }, 'now'],
    ['a bad value', 'expire', { what: 'everything' }, 'what'],
    ['an unknown account', 'revoke', { appId: 'wx0000000000000000' }, 'no account'],
  ])('refuses %s and says which', async (_what, path, body, words) => {
    const response = await post(path, body);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: string }).error).toContain(words);
  });

  it('changes things by POST of JSON only', async () => {
    expect((await post('ticket', {}, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await fetch(`${sandbox.url}/sandbox/ticket`)).status).toBe(405);
    expect((await post('nothing-such', {})).status).toBe(404);
    expect(receiver.pushes).toHaveLength(0);
  });

  it('never shows the platform’s secrets', async () => {
    const shown = JSON.stringify([await get('/sandbox'), await get('/sandbox/state')]);
    const { componentAppSecret, token, encodingAesKey } = sandbox.world.credentials;
    for (const secret of [componentAppSecret, token, encodingAesKey]) expect(shown).not.toContain(secret);
  });
});

describe('the page', () => {
  it('is served with everything it asks for, and may ask nobody else', async () => {
    const sandbox = await createSandbox({ ticketEverySeconds: 0 });
    try {
      const response = await fetch(sandbox.url);
      const html = await response.text();
      expect(html).toContain('<title>WeChat sandbox</title>');
      expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
      const assets = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
      const scripts = ['accounts', 'apis', 'controls', 'dom', 'pushes'].map((name) => `/assets/${name}.js`);
      for (const path of [...assets, ...scripts]) expect((await fetch(`${sandbox.url}${path}`)).status).toBe(200);
      expect((await fetch(`${sandbox.url}/assets/..%2f..%2fpackage.json`)).status).toBe(404);
    } finally {
      await sandbox.close();
    }
  });
});

describe('createSandbox', () => {
  it('tells when its port is taken, and when a key cannot be one', async () => {
    const sandbox = await createSandbox({ ticketEverySeconds: 0 });
    await expect(createSandbox({ ticketEverySeconds: 0, port: sandbox.port })).rejects.toThrow('EADDRINUSE');
    await expect(createSandbox({ encodingAesKey: 'short' })).rejects.toThrow('43 characters');
    await sandbox.close();
  });
});
