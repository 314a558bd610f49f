import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { type ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { ScriptedWechat } from './testing/scripted-wechat.js';
import { WechatApiError, WechatUnavailable } from './wechat-errors.js';
import { WechatClient, type WechatClientOptions } from './wechat-client.js';

const CODE = { pre_auth_code: 'preauthcode@@@x', expires_in: 1800 };
const AUTHORIZATION = { authorization_info: { authorizer_appid: 'wx1' } };
const BUSY = { errcode: -1, errmsg: 'system error rid: 1-2-3' };

const SECRET = /S3CRET/;
const status = (code: number, headers: Record<string, string> = {}) => {
  return (response: ServerResponse) =>
    void response.writeHead(code, headers).end('{"component_access_token":"S3CRET-body"}');
};
const hang = () => undefined;
const reset = (response: ServerResponse) => void response.socket?.destroy();

/** Every call, each with secrets that no error may show. */
const CALLS: [string, (client: WechatClient, signal?: AbortSignal) => Promise<unknown>][] = [
  ['componentToken', (client) => client.componentToken({ ticket: 'S3CRET-ticket' })],
  ['createPreAuthCode', (client) => client.createPreAuthCode('S3CRET-cat')],
  ['queryAuth', (client) => client.queryAuth('S3CRET-cat', 'S3CRET-code')],
  ['authorizerToken', (client) => client.authorizerToken('S3CRET-cat', 'wx1', 'S3CRET-refresh')],
  ['authorizerInfo', (client) => client.authorizerInfo('S3CRET-cat', 'wx1')],
  ['authorizerList', (client) => client.authorizerList('S3CRET-cat', 0, 500)],
  ['startPushTicket', (client) => client.startPushTicket()],
];
const REPEATABLE = CALLS.filter(([name]) => name !== 'queryAuth');

describe('WechatClient, when something fails,', () => {
  const wechat = new ScriptedWechat();
  const clients: WechatClient[] = [];

  const clientOf = (options: Partial<WechatClientOptions> = {}) => {
    const identity = { baseUrl: wechat.url, componentAppId: 'wxcomponent', componentAppSecret: 'S3CRET-secret' };
    const client = new WechatClient({ ...identity, totalTimeoutMs: 1_000, ...options });
    clients.push(client);
    return client;
  };
  const failureOf = async (call: Promise<unknown>) => {
    const error: unknown = await call.then(
      (value) => Promise.reject(new Error(`no failure but ${JSON.stringify(value)}`)),
      (caught: unknown) => caught,
    );
    if (error instanceof WechatApiError || error instanceof WechatUnavailable) return error;
    throw error;
  };

  beforeEach(() => wechat.start());
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await wechat.stop();
  });

  describe('keeps every secret out of its errors:', () => {
    const failures: [string, Parameters<ScriptedWechat['answers']>[0]][] = [
      ['a refusal', { errcode: 40001, errmsg: 'invalid credential rid: 1-2' }],
      [
        'a refusal that quotes what was sent',
        (response, { query, body }) =>
          void response.end(JSON.stringify({ errcode: 40001, errmsg: JSON.stringify([query, body]) })),
      ],
      ['status 500', status(500)],
      ['a redirect', status(302, { location: 'http://127.0.0.1:1/?t=S3CRET' })],
      ['text that is no JSON', 'S3CRET-text is not JSON'],
      [
        'JSON that is not right',
        { expires_in: 'S3CRET-odd', authorization_info: 'S3CRET-odd', list: 'S3CRET-odd', ip_list: 'S3CRET' },
      ],
      ['an odd errcode', { errcode: 'S3CRET-odd' }],
      ['a reset', reset],
      ['no answer', hang],
    ];
    const table = CALLS.flatMap(([name, call]) =>
      failures.map(([what, answer]) => [name, what, call, answer] as const),
    );

    it.each(table)('%s and %s', async (name, what, call, answer) => {
      wechat.answers(answer);
      const attempt = call(clientOf({ totalTimeoutMs: 100 }));
      // WeChat says nothing about the pushing of tickets that could be wrong.
      if (name === 'startPushTicket' && what.startsWith('JSON')) return expect(await attempt).toBe('restarted');
      const error = await failureOf(attempt);
      const shown = [String(error), error.stack, JSON.stringify(error), inspect(error, { depth: 9, showHidden: true })];
      expect(shown.join('\n')).not.toMatch(SECRET);
      expect(error.message).toMatch(/^api_\w+[: ]/);
    });

    it('and so does the client itself', () => {
      expect(inspect(clientOf(), { depth: 9 }) + JSON.stringify(clientOf())).not.toMatch(SECRET);
    });
  });

  it('says what WeChat refused, from a real answer', async () => {
    wechat.answers({
      errcode: 61004,
      errmsg: 'access clientip is not registered requestIP: 47.99.***.** rid: 60486285-3968f4d5-3d1f7d1f',
    });
    expect(await failureOf(clientOf().componentToken({ ticket: 't' }))).toMatchObject({
      api: 'api_component_token',
      errcode: 61004,
      reaction: 'configuration',
      requestIp: '47.99.***.**',
      rid: '60486285-3968f4d5-3d1f7d1f',
      message: 'api_component_token answered 61004 (access clientip is not registered)',
    });
  });

  it('takes an errcode that comes as text for what it is', async () => {
    wechat.answers({ errcode: '61023', errmsg: 'refresh_token is invalid' });
    expect(await failureOf(clientOf().authorizerToken('c', 'wx1', 'r'))).toMatchObject({ errcode: 61023 });
  });

  describe('repeats', () => {
    it.each(REPEATABLE)('%s twice at most when WeChat is busy', async (_, call) => {
      wechat.answers(BUSY);
      expect(await failureOf(call(clientOf()))).toMatchObject({ errcode: -1, reaction: 'retry' });
      expect(wechat.arrived).toHaveLength(3);
    });

    it.each<[string, Parameters<ScriptedWechat['answers']>[0]]>([
      ['WeChat was busy', BUSY],
      ['the connection was reset', reset],
      ['a gateway answered 502', status(502)],
      ['a gateway answered 429', status(429)],
      ['the answer was no JSON', '<html>maintenance</html>'],
      ['the answer never came', hang],
    ])('what may be repeated when %s, and answers as if nothing had been', async (_, failure) => {
      wechat.answers(failure, CODE);
      expect(await clientOf().createPreAuthCode('cat')).toMatchObject({ preAuthCode: 'preauthcode@@@x' });
      expect(wechat.arrived).toHaveLength(2);
    });

    it.each<[string, Parameters<ScriptedWechat['answers']>[0]]>([
      ['WeChat refused', { errcode: 61003, errmsg: '' }],
      ['the token is not good', { errcode: 40001, errmsg: '' }],
      ['the quota is used up', { errcode: 45009, errmsg: '' }],
      ['the answer is a redirect', status(302, { location: '/elsewhere' })],
      ['a proxy forbids it', status(403)],
      ['it was told when to come back', status(503, { 'retry-after': '7' })],
    ])('nothing when %s', async (_, failure) => {
      wechat.answers(failure, CODE);
      await failureOf(clientOf().createPreAuthCode('cat'));
      expect(wechat.arrived).toHaveLength(1);
    });

    it.each<[string, Parameters<ScriptedWechat['answers']>[0]]>([
      ['WeChat is busy', BUSY],
      ['the connection is reset', reset],
      ['a gateway answers 502', status(502)],
      ['the answer is no JSON', '<html>maintenance</html>'],
      ['the answer never comes', hang],
    ])('no exchange of a code when %s: the code may be spent', async (_, failure) => {
      wechat.answers(failure, AUTHORIZATION);
      const error = await failureOf(clientOf({ totalTimeoutMs: 300 }).queryAuth('cat', 'code'));
      expect(error instanceof WechatUnavailable ? error.requestSent : error.reaction).not.toBe(false);
      expect(wechat.arrived).toHaveLength(1);
    });
  });

  describe('tells how there was no answer:', () => {
    it.each<[string, Parameters<ScriptedWechat['answers']>[0], object]>([
      ['reset after the request', reset, { kind: 'connect', requestSent: true }],
      [
        'broken off in the answer',
        (r) => void r.writeHead(200, { 'content-length': 99 }).write('{', () => r.destroy()),
        { kind: 'connect', requestSent: true },
      ],
      ['nothing', hang, { kind: 'timeout', requestSent: true }],
      ['half an answer', (r) => void r.writeHead(200).write('{"pre_auth'), { kind: 'timeout', requestSent: true }],
      ['500', status(500), { kind: 'http', status: 500, requestSent: true }],
      ['404', status(404), { kind: 'http', status: 404, requestSent: true }],
      ['503 until later', status(503, { 'retry-after': '7' }), { kind: 'http', status: 503, retryAfterMs: 7_000 }],
      ['503 for days', status(503, { 'retry-after': '999999' }), { kind: 'http', retryAfterMs: 3_600_000 }],
      ['301', status(301, { location: '/x' }), { kind: 'redirect', status: 301, requestSent: true }],
      ['304', status(304), { kind: 'redirect', status: 304 }],
      ['an empty body', '', { kind: 'malformed' }],
      ['a number', '7', { kind: 'malformed' }],
      ['a list', '[]', { kind: 'malformed' }],
      ['null', 'null', { kind: 'malformed' }],
      ['the start of JSON', '{"pre_auth_code":"x","expires', { kind: 'malformed' }],
      ['bytes', (r) => void r.end(Buffer.from([0xff, 0xfe, 0, 1])), { kind: 'malformed' }],
    ])('%s', async (_, answer, facts) => {
      wechat.answers(answer);
      expect(await failureOf(clientOf({ totalTimeoutMs: 200 }).createPreAuthCode('cat'))).toMatchObject(facts);
    });

    it('a date to come back at', async () => {
      const later = new Date(Date.now() + 60_000).toUTCString();
      wechat.answers(status(503, { 'retry-after': later }));
      const error = (await failureOf(clientOf().createPreAuthCode('cat'))) as WechatUnavailable;
      expect(error.retryAfterMs).toBeGreaterThan(55_000);
      expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
    });

    it.each(['announced', 'unannounced'])('more bytes than it takes, %s', async (how) => {
      wechat.answers((response) => {
        if (how === 'announced') response.setHeader('content-length', 4_000);
        response.end(JSON.stringify({ ...CODE, x: 'x'.repeat(4_000) }).slice(0, 4_000));
      });
      const error = await failureOf(clientOf({ maxAnswerBytes: 1_000 }).createPreAuthCode('cat'));
      expect(error).toMatchObject({ kind: 'malformed' });
      expect(error.message).toContain('over 1000 bytes');
    });

    it('nobody listening, which is not sent', async () => {
      const error = await failureOf(clientOf({ baseUrl: await deadUrl() }).queryAuth('cat', 'code'));
      expect(error).toMatchObject({ kind: 'connect', requestSent: false });
    });

    it('a name that does not resolve, which is not sent', async () => {
      const error = await failureOf(clientOf({ baseUrl: 'http://wechat.invalid' }).queryAuth('cat', 'code'));
      expect(error).toMatchObject({ kind: 'connect', requestSent: false });
    });
  });

  describe('towards a host that accepts connections and never speaks TLS', () => {
    let silent: Server;
    const sockets: Socket[] = [];
    beforeEach(async () => {
      silent = createTcpServer((socket) => sockets.push(socket.on('error', () => undefined)));
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    });
    afterEach(async () => {
      sockets.splice(0).forEach((socket) => socket.destroy());
      await new Promise((resolve) => silent.close(resolve));
    });

    it('repeats even the exchange of a code, since nothing was sent', async () => {
      const baseUrl = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const client = clientOf({ baseUrl, connectTimeoutMs: 100, totalTimeoutMs: 12_000 });
      const error = await failureOf(client.queryAuth('cat', 'code'));
      expect(error).toMatchObject({ kind: 'timeout', requestSent: false });
      expect(sockets).toHaveLength(3);
    });
  });

  describe('bounds the time:', () => {
    it.each(CALLS)('%s does not wait for ever', async (_, call) => {
      wechat.answers(hang);
      expect(await failureOf(call(clientOf({ totalTimeoutMs: 200 })))).toMatchObject({ kind: 'timeout' });
    });

    it('an answer that drips does not go on for ever', async () => {
      let drip: NodeJS.Timeout | undefined;
      wechat.answers((response) => {
        response.writeHead(200);
        drip = setInterval(() => response.write(' '), 10);
      });
      expect(await failureOf(clientOf({ totalTimeoutMs: 300 }).queryAuth('c', 'code'))).toMatchObject({
        kind: 'timeout',
      });
      clearInterval(drip);
    });

    it('a call that still waits for a free connection is not sent', async () => {
      wechat.answers(hang);
      const client = clientOf({ totalTimeoutMs: 20_000 });
      const sent = Array.from({ length: 20 }, () => failureOf(client.queryAuth('cat', 'code')));
      await arrival(wechat, 20);
      const signal = AbortSignal.timeout(1);
      expect(await failureOf(client.queryAuth('cat', 'code', { signal }))).toMatchObject({
        kind: 'timeout',
        requestSent: false,
      });
      await client.close();
      for (const error of await Promise.all(sent)) expect(error).toMatchObject({ requestSent: true });
      expect(wechat.arrived).toHaveLength(20);
    });

    it('the caller may give up', async () => {
      wechat.answers(hang);
      const stop = new AbortController();
      const client = clientOf({ totalTimeoutMs: 20_000 });
      const error = failureOf(client.queryAuth('cat', 'code', { signal: stop.signal }));
      setImmediate(() => stop.abort(new Error('shutting down')));
      expect(await error).toMatchObject({
        kind: 'aborted',
        cause: expect.objectContaining({ message: 'shutting down' }) as unknown,
      });
    });

    it('a caller who has given up before sends nothing', async () => {
      wechat.answers(AUTHORIZATION);
      const error = await failureOf(clientOf().queryAuth('cat', 'code', { signal: AbortSignal.abort() }));
      expect(error).toMatchObject({ kind: 'aborted', requestSent: false });
      expect(wechat.arrived).toHaveLength(0);
    });

    it('closing ends what is under way', async () => {
      wechat.answers(hang);
      const client = clientOf({ totalTimeoutMs: 20_000 });
      const error = failureOf(client.createPreAuthCode('cat'));
      await arrival(wechat);
      await client.close();
      expect(await error).toMatchObject({ kind: 'aborted', requestSent: true });
    });
  });

  describe('leaves WeChat alone that leaves calls hanging:', () => {
    const leaveHanging = async (client: WechatClient, calls: number) => {
      wechat.answers(hang);
      await Promise.all(Array.from({ length: calls }, () => failureOf(client.queryAuth('cat', 'code'))));
    };

    it('after three in a row, calls fail at once', async () => {
      const client = clientOf({ totalTimeoutMs: 100, pauseAfterHangingMs: 60_000 });
      await leaveHanging(client, 3);
      wechat.answers(CODE);
      expect(await failureOf(client.createPreAuthCode('cat'))).toMatchObject({
        kind: 'circuit_open',
        requestSent: false,
        retryAfterMs: 60_000,
      });
      expect(wechat.arrived).toHaveLength(0);
    });

    it('an answer in between, even a refusal, starts the count anew', async () => {
      const client = clientOf({ totalTimeoutMs: 100, pauseAfterHangingMs: 60_000 });
      await leaveHanging(client, 2);
      wechat.answers({ errcode: 61003, errmsg: '' });
      await failureOf(client.createPreAuthCode('cat'));
      await leaveHanging(client, 2);
      wechat.answers(CODE);
      expect(await client.createPreAuthCode('cat')).toMatchObject({ expiresInSeconds: 1800 });
    });

    it("calls that end by a caller's own time-out count too", async () => {
      const client = clientOf({ totalTimeoutMs: 20_000, pauseAfterHangingMs: 60_000 });
      wechat.answers(hang);
      const ask = () => failureOf(client.createPreAuthCode('cat', { signal: AbortSignal.timeout(50) }));
      for (let call = 0; call < 3; call += 1) expect(await ask()).toMatchObject({ kind: 'timeout' });
      expect(await ask()).toMatchObject({ kind: 'circuit_open' });
    });

    it('failures that come quickly do not count', async () => {
      const client = clientOf();
      wechat.answers(reset);
      for (let i = 0; i < 5; i++) await failureOf(client.queryAuth('cat', 'code'));
      wechat.answers(CODE);
      expect(await client.createPreAuthCode('cat')).toMatchObject({ expiresInSeconds: 1800 });
    });

    it('after the pause one call goes ahead, and the others follow when it is answered', async () => {
      const client = clientOf({ totalTimeoutMs: 300, pauseAfterHangingMs: 50 });
      await leaveHanging(client, 3);
      let answerScout = () => undefined as void;
      wechat.answers((response) => void (answerScout = () => void response.end(JSON.stringify(CODE))), CODE);
      const scout = await firstToGo(() => client.createPreAuthCode('cat'), wechat);
      expect(await failureOf(client.createPreAuthCode('cat'))).toMatchObject({ kind: 'circuit_open' });
      answerScout();
      expect(await scout.call).toMatchObject({ expiresInSeconds: 1800 });
      expect(await client.createPreAuthCode('cat')).toMatchObject({ expiresInSeconds: 1800 });
    });
  });
});

/** An address where nobody listens: that of a server that has just stopped. */
async function deadUrl(): Promise<string> {
  const server = new ScriptedWechat();
  await server.start();
  const { url } = server;
  await server.stop();
  return url;
}

async function arrival(wechat: ScriptedWechat, count = 1): Promise<void> {
  while (wechat.arrived.length < count) await new Promise(setImmediate);
}

/** Tries until a call is let through to WeChat; answers that call, still under way. */
async function firstToGo<T>(start: () => Promise<T>, wechat: ScriptedWechat): Promise<{ call: Promise<T> }> {
  for (;;) {
    const call = start();
    const isRefused = await Promise.race([
      call.then(
        () => false,
        () => true,
      ),
      arrival(wechat).then(() => false),
    ]);
    if (!isRefused) return { call };
  }
}
