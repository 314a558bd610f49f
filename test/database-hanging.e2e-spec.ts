import { AuthorizerTokenService } from '@app/authorizer';
import { SteadyClient } from '../apps/api/src/steady-client.js';
import { eventually } from './support/eventually.js';
import { KEYS, TestPlatform } from './support/platform.js';
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.js';

/** Far more than a caller waits, and far less than it took when every statement had half a minute. */
const FEW_SECONDS = 15_000;

let t: TestPlatform;
let wire: TcpProxy;
const throughWire = (url: string) => Object.assign(new URL(url), { port: String(wire.port) }).href;
beforeAll(async () => {
  const server = new URL(process.env.TEST_DATABASE_URL ?? '');
  wire = await startTcpProxy({ host: server.hostname, port: Number(server.port) });
  t = await TestPlatform.start({ ticket: false, through: throughWire });
});
afterAll(async () => {
  wire.become('open');
  await t.stop();
  await wire.close();
});
afterEach(() => wire.become('open'));

describe('while the database takes questions and answers none', () => {
  it('services and admins are told to come back within seconds, and answered when it is back', async () => {
    const ask = (method: string, path: string, key: string) =>
      fetch(new URL(path, t.url), {
        method,
        headers: { authorization: `Bearer ${key}` },
        signal: AbortSignal.timeout(FEW_SECONDS),
      });
    const askAll = () =>
      Promise.all([
        ask('POST', '/internal/wechat/authorizers/wx1234567890abcdef/access-token', KEYS.service),
        ask('POST', '/internal/wechat/component-access-token', KEYS.service),
        ask('GET', '/admin/wechat/authorizers', KEYS.viewer),
        ask('GET', '/admin/wechat/platform', KEYS.viewer),
      ]);
    const statuses = async () => (await askAll()).map(({ status }) => status);
    const before = await statuses();
    wire.become('hanging');
    for (const answer of await askAll()) {
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
    wire.become('open');
    await eventually(async () => expect(await statuses()).toEqual(before));
  });

  it('callers within the process are told the same, by an error they can act on', async () => {
    wire.become('hanging');
    const tokens = t.app.get(AuthorizerTokenService);
    const refused = { code: 'DATABASE_UNAVAILABLE', retryAfterSeconds: 5 };
    await Promise.all([
      expect(tokens.getAccessToken('wx1234567890abcdef')).rejects.toMatchObject(refused),
      expect(tokens.reportInvalid('wx1234567890abcdef', 'token')).rejects.toMatchObject(refused),
    ]);
  });
});

describe('a connection', () => {
  const connected = async () => {
    const client = new SteadyClient({ connectionString: throughWire(t.database.url), statement_timeout: 300 });
    await client.connect();
    return client;
  };

  it('gives a transaction the time that it asks for, and no other', async () => {
    // More than once where the machine itself stands still for longer than the margin.
    await eventually(async () => {
      const client = await connected();
      await expect(client.query('select pg_sleep(10)')).rejects.toMatchObject({ code: '57014' });
      await client.query('start transaction');
      await client.query('set local statement_timeout = 20000');
      await client.query('select pg_sleep(2)');
      await client.query('commit');
      await expect(client.query('select pg_sleep(10)')).rejects.toMatchObject({ code: '57014' });
      await client.end();
    });
  });

  it('that is not answered is of no use to anybody after that', async () => {
    const client = await connected();
    wire.become('hanging');
    await expect(client.query('select 1')).rejects.toThrow('Query read timeout');
    wire.become('open');
    await expect(client.query('select 1')).rejects.toThrow(/not queryable|terminated/);
  });
});
