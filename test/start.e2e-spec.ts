import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import path from 'node:path';
import { migrate } from '../apps/api/src/database.js';
import { freePort } from '../apps/api/src/development/free-port.js';
import { type ApiProcess, runApi, runProgram, startApiProcess } from './support/api-process.js';
import { Checkout } from './support/checkout.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { baseVariables, KEYS } from './support/platform.js';
import { shell } from './support/shell.js';
import { startTcpProxy } from './support/tcp-proxy.js';

/** As `npm start` runs it, but on a database of the test's own. */
describe('starting in development', () => {
  let database: TestDatabase;
  let api: ApiProcess;
  let sandboxPort: number;
  beforeAll(async () => {
    database = await createDatabase();
    sandboxPort = await freePort();
    api = await startApiProcess({
      NODE_ENV: 'development',
      DATABASE_URL: database.url,
      SANDBOX_PORT: String(sandboxPort),
    });
  }, 90_000);
  afterAll(async () => {
    await api.kill();
    await database.drop();
  });

  const operatorKey = () => /Operator key\s+(\S+)/.exec(api.output())?.[1] ?? '';
  const samples = () => api.output().match(/^ {2}curl .*$/gm) ?? [];

  it('shows where everything is, and the first ticket arriving', async () => {
    await eventually(() => expect(api.output()).toMatch(/✓ The first ticket arrived/), 20_000);
    expect(api.output()).toContain(`http://127.0.0.1:${sandboxPort}`);
    expect(api.output()).toContain(`${api.url}/docs`);
    expect(samples()).toHaveLength(2);
  });

  it('shows two commands that do what they say: a merchant authorizes, and is asked for', async () => {
    const [push, ask] = samples();
    const sampleAppId = /"appId":"(\w+)"/.exec(push!)?.[1];
    await shell(push!);
    await eventually(async () => {
      const { items } = JSON.parse(await shell(ask!)) as { items: unknown[] };
      expect(items).toMatchObject([{ appId: sampleAppId, status: 'authorized', credential: { status: 'valid' } }]);
    });
  });

  it('has an operator key that opens the admin routes, and no other', async () => {
    const status = async (key: string) =>
      (await fetch(`${api.url}/admin/wechat/platform`, { headers: { authorization: `Bearer ${key}` } })).status;
    expect(await status(operatorKey())).toBe(200);
    expect(await status(`${operatorKey()}x`)).toBe(401);
  });

  it('ends on a signal with everything it started', async () => {
    expect(await api.stop()).toBe(0);
    await expect(fetch(`http://127.0.0.1:${sandboxPort}/`)).rejects.toThrow();
  });
});

describe('a start that cannot be', () => {
  let database: TestDatabase;
  let taken: Server;
  let takenPort: string;
  beforeAll(async () => {
    database = await createDatabase();
    await migrate(database.url);
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    takenPort = String((taken.address() as AddressInfo).port);
  });
  afterAll(async () => {
    taken.close();
    await database.drop();
  });

  /** What is said besides the log, which is JSON. */
  const sayings = (output: string) => output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  const expectOneSentence = async (
    variables: Record<string, string>,
    sentence: string | RegExp,
    root?: string,
  ): Promise<void> => {
    const { code, output } = await runApi(variables, root);
    const said = sayings(output);
    expect([said, code]).toEqual([[typeof sentence === 'string' ? sentence : expect.stringMatching(sentence)], 1]);
    expect(output).not.toContain('    at ');
  };

  it(
    'says that the port is taken',
    () =>
      expectOneSentence(
        { ...production(database.url), PORT: takenPort },
        `Port ${takenPort} is taken: stop what uses it, or set PORT to another one.`,
      ),
    60_000,
  );

  it.each(['no-such-host.invalid', '192.0.2.1'])(
    'says that HOST %s is not of this machine',
    (host) =>
      expectOneSentence(
        { ...production(database.url), HOST: host },
        `HOST ${host} is not an address of this machine: set it to one that is, or to 0.0.0.0 for all of them.`,
      ),
    60_000,
  );

  it(
    'says where the database was looked for, after some patience',
    () =>
      expectOneSentence(
        {
          NODE_ENV: 'development',
          DATABASE_URL: 'postgres://user:geheim@127.0.0.1:9/wechat',
          PORT: '0',
          SANDBOX_PORT: '0',
        },
        /^The database at 127\.0\.0\.1:9\/wechat cannot be reached \(connect ECONNREFUSED 127\.0\.0\.1:9\), tried for 10 s: start it, or correct DATABASE_URL\.$/,
      ),
    60_000,
  );

  it('says at once that the database has another name or another password', async () => {
    const nameless = Object.assign(new URL(database.url), { pathname: '/no_such_database' });
    await expectOneSentence(
      production(nameless.href),
      /^The database at \S+\/no_such_database does not let us in \(database "no_such_database" does not exist\): correct DATABASE_URL\.$/,
    );
    const stranger = Object.assign(new URL(database.url), { username: 'nobody_we_know', password: 'geheim' });
    await expectOneSentence(
      production(stranger.href),
      /^The database at \S+ does not let us in \([^)]*nobody_we_know[^)]*\)/,
    );
  }, 60_000);

  it('is no different for the commands', async () => {
    const { code, output } = await runProgram('apps/api/src/migrate.cli.ts', [], {
      DATABASE_URL: 'postgres://user:geheim@127.0.0.1:9/wechat',
    });
    expect([code, output.trim().split('\n')]).toEqual([
      1,
      [expect.stringMatching(/^The migrations were not applied: The database at 127\.0\.0\.1:9\/wechat cannot/)],
    ]);
  }, 60_000);

  describe('with a database of its own', () => {
    let checkout: Checkout;
    beforeEach(() => {
      checkout = new Checkout();
    });
    afterEach(() => checkout.remove());

    it('says that the port of the sandbox is taken, and leaves nothing running', async () => {
      const port = String(await freePort());
      await expectOneSentence(
        { NODE_ENV: 'development', PORT: port, SANDBOX_PORT: takenPort },
        `Port ${takenPort}, where the sandbox listens, is taken: stop what uses it, or set SANDBOX_PORT to another one.`,
        checkout.root,
      );
      expect(existsSync(path.join(checkout.dataFolder, 'postgres'))).toBe(true);
      await eventually(() => expect(checkout.postgres).toBeNull());
      await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow();
    }, 90_000);

    it('says that its data folder cannot be used', async () => {
      writeFileSync(checkout.dataFolder, '');
      await expectOneSentence(
        { NODE_ENV: 'development', PORT: '0', SANDBOX_PORT: '0' },
        `${checkout.dataFolder} cannot be used (EEXIST): make it yours, move it away, or set DATABASE_URL.`,
        checkout.root,
      );
    }, 60_000);
  });

  it('lists every problem of the environment, one line each, and nothing else', async () => {
    const { code, output } = await runApi({ NODE_ENV: 'production', PORT: 'x', WECHAT_ENCODING_AES_KEY: 'short' });
    expect(code).toBe(1);
    expect(output.trim().split('\n')).toEqual([
      'The environment is not usable:',
      expect.stringMatching(/^ {2}PORT: /),
      expect.stringMatching(/^ {2}WECHAT_ENCODING_AES_KEY: /),
      '  DATABASE_URL: is required in production',
      '  WECHAT_COMPONENT_APP_ID: is required in production',
      '  WECHAT_COMPONENT_APP_SECRET: is required in production',
      '  WECHAT_TOKEN: is required in production',
      '  ENCRYPTION_KEYS: is required in production',
    ]);
  }, 60_000);
});

describe('in production', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(async () => {
    await database.drop();
  });

  it('is not ready before the migrations ran, and is after', async () => {
    const api = await startApiProcess(production(database.url), 'alive');
    const ready = async () => {
      const response = await fetch(`${api.url}/health/ready`);
      return [
        response.status,
        response.headers.get('content-type'),
        ((await response.json()) as { code?: string }).code,
      ];
    };
    await eventually(async () =>
      expect(await ready()).toEqual([503, 'application/problem+json; charset=utf-8', 'MIGRATIONS_PENDING']),
    );
    expect(api.output()).toContain('Migrations are pending, so no push is accepted: run npm run migrate');
    const asked = await fetch(`${api.url}/admin/wechat/authorizers`, {
      headers: { authorization: `Bearer ${KEYS.viewer}` },
    });
    expect([asked.status, asked.headers.get('retry-after'), await asked.json()]).toMatchObject([
      503,
      '5',
      { code: 'MIGRATIONS_PENDING' },
    ]);
    expect((await fetch(`${api.url}/social/with/wechat/authorize/${'l'.repeat(32)}`)).status).toBe(503);
    await migrate(database.url);
    await eventually(async () => expect(await ready()).toEqual([200, 'application/json; charset=utf-8', undefined]));
    expect(await api.stop()).toBe(0);
  }, 90_000);

  it('ends by itself while it waits for a database', async () => {
    const api = await startApiProcess(production('postgres://user@127.0.0.1:9/wechat'), 'alive');
    expect(await api.stop()).toBe(0);
  }, 90_000);

  it('waits for a database that is away: alive, not ready, every push refused for now', async () => {
    await migrate(database.url);
    const direct = new URL(database.url);
    const wire = await startTcpProxy({ host: direct.hostname, port: Number(direct.port || 5432) });
    wire.become('cut');
    const api = await startApiProcess(
      production(Object.assign(new URL(direct), { hostname: '127.0.0.1', port: String(wire.port) }).href),
      'alive',
    );
    const status = async (path: string, init?: RequestInit) => (await fetch(`${api.url}${path}`, init)).status;
    expect(await status('/health/live')).toBe(200);
    for (const method of ['GET', 'HEAD'])
      expect(await status('/social/with/wechat/receiveEvent?probe=1', { method })).toBe(200);
    const refused = await fetch(`${api.url}/social/with/wechat/receiveEvent`, { method: 'POST', body: '<xml/>' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ status: 503, code: 'DATABASE_UNAVAILABLE' });
    expect(await status('/health/ready')).toBe(503);
    await eventually(
      () => expect(api.output()).toMatch(/cannot be reached .* Until then pushes are answered 503/),
      60_000,
    );
    expect(api.output()).not.toContain('    at ');
    wire.become('open');
    await eventually(async () => expect(await status('/health/ready')).toBe(200), 60_000);
    expect(await status('/social/with/wechat/receiveEvent', { method: 'POST', body: '<xml/>' })).toBe(400);
    expect(await api.stop()).toBe(0);
    await wire.close();
  }, 120_000);
});

function production(databaseUrl: string): Record<string, string> {
  const { PORT: _, ...variables } = baseVariables(databaseUrl, 'http://127.0.0.1:9');
  return {
    ...variables,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    WECHAT_COMPONENT_APP_ID: 'wx1234567890abcdef',
    WECHAT_COMPONENT_APP_SECRET: 'component-secret',
    WECHAT_TOKEN: 'token',
    WECHAT_ENCODING_AES_KEY: 'a'.repeat(43),
  };
}
