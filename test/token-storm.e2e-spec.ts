import { Client } from 'pg';
import { migrate } from '../apps/api/src/database.js';
import { createSandbox, type Sandbox } from '../apps/sandbox/src/create-sandbox.js';
import { type ApiProcess, startApiProcess } from './support/api-process.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { baseVariables, KEYS } from './support/platform.js';

const PROCESSES = 4;
const CALLERS = 200;

interface Reply {
  readonly status: number;
  readonly accessToken?: string;
}

describe('200 callers over four processes who find an ended token', () => {
  let sandbox: Sandbox;
  let database: TestDatabase;
  const processes: ApiProcess[] = [];
  let variables: Record<string, string>;
  beforeAll(async () => {
    database = await createDatabase();
    await migrate(database.url);
    sandbox = await createSandbox({ ticketEverySeconds: 0 });
    const { credentials } = sandbox.world;
    const { PORT: _, ...rest } = baseVariables(database.url, sandbox.url);
    variables = {
      ...rest,
      NODE_ENV: 'production',
      WECHAT_COMPONENT_APP_ID: credentials.componentAppId,
      WECHAT_COMPONENT_APP_SECRET: credentials.componentAppSecret,
      WECHAT_TOKEN: credentials.token,
      WECHAT_ENCODING_AES_KEY: credentials.encodingAesKey,
    };
    // Those that have started are ended, also when another does not start.
    const start = async () => void processes.push(await startApiProcess(variables));
    await Promise.all(Array.from({ length: PROCESSES }, start));
    sandbox.world.pushes.url = `${processes[0]!.url}/social/with/wechat/receiveEvent`;
    await sandbox.world.pushTicket();
  }, 300_000);
  afterEach(() => {
    sandbox.world.clearFaults();
    sandbox.world.authorizations.rotateOnRefresh = false;
  });
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.kill()));
    await sandbox.close();
    await database.drop();
  });

  const query = async (text: string, values: unknown[] = []) => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text, values)).rows;
    } finally {
      await client.end();
    }
  };
  const askAt = async (url: string, appId: string): Promise<Reply> => {
    const response = await fetch(`${url}/internal/wechat/authorizers/${appId}/access-token`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEYS.service}` },
    });
    const { accessToken } = (await response.json()) as { accessToken?: string };
    return { status: response.status, ...(accessToken && { accessToken }) };
  };
  const askEverywhere = (appId: string, urls = processes.map(({ url }) => url)) =>
    Promise.all(Array.from({ length: CALLERS }, (_, index) => askAt(urls[index % urls.length]!, appId)));

  /** Every process has the token of this account in memory. */
  const remembered = async () => {
    const { appId } = sandbox.world.addAccount({ kind: 'mini_program' });
    await sandbox.world.authorize(appId);
    await eventually(async () => {
      for (const { url } of processes) expect((await askAt(url, appId)).status).toBe(200);
    });
    return appId;
  };
  const end = (appId: string) =>
    query(`update authorizer_credential set access_token_expires_at = now() - interval '1 second' where app_id = $1`, [
      appId,
    ]);
  /**
   * An account whose token has ended, which every process was asked for before, and has heard of. News come in order: who has heard of
   * what happened to a second account later has heard of the first.
   */
  const withEndedToken = async () => {
    const [appId, later] = [await remembered(), await remembered()];
    const { accessToken: old } = await askAt(processes[0]!.url, later);
    await end(appId);
    await end(later);
    await eventually(async () => {
      for (const { url } of processes) {
        const { accessToken } = await askAt(url, later);
        expect(accessToken).toEqual(expect.any(String));
        expect(accessToken).not.toBe(old);
      }
    });
    return appId;
  };
  const refreshes = (appId: string) => sandbox.world.counters.ofAuthorizerToken(appId);
  const tokensOf = (replies: Reply[]) => new Set(replies.map(({ accessToken }) => accessToken));

  it('cost one call to WeChat', async () => {
    const appId = await withEndedToken();
    const replies = await askEverywhere(appId);
    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    expect(tokensOf(replies).size).toBe(1);
    expect(refreshes(appId)).toEqual({ calls: 1, successes: 1 });
  });

  it('cost one call when it takes five seconds', async () => {
    const appId = await withEndedToken();
    const before = sandbox.world.counters.of('api_authorizer_token').calls;
    sandbox.world.setFault({ kind: 'hang', ms: 5_000, path: 'api_authorizer_token', times: 1 });
    const replies = await askEverywhere(appId);
    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    expect(tokensOf(replies).size).toBe(1);
    expect(refreshes(appId)).toEqual({ calls: 1, successes: 1 });
    expect(sandbox.world.counters.of('api_authorizer_token').calls).toBe(before + 1);
  });

  it.each([
    ['with an HTTP error', { kind: 'http', status: 502 }],
    ['by a broken connection', { kind: 'reset-before' }],
    ['because WeChat is busy', { kind: 'errcode', errcode: -1 }],
  ] as const)('cost one more call when the first fails %s', async (_, fault) => {
    const appId = await withEndedToken();
    const before = sandbox.world.counters.of('api_authorizer_token').calls;
    sandbox.world.setFault({ ...fault, path: 'api_authorizer_token', times: 1 });
    const replies = await askEverywhere(appId);
    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    expect(tokensOf(replies).size).toBe(1);
    expect(refreshes(appId)).toEqual({ calls: 1, successes: 1 });
    expect(sandbox.world.counters.of('api_authorizer_token').calls).toBe(before + 2);
  });

  it('cost one more call when the reply is lost that held a new refresh token', async () => {
    const appId = await withEndedToken();
    sandbox.world.authorizations.rotateOnRefresh = true;
    sandbox.world.setFault({ kind: 'reset-after', path: 'api_authorizer_token', times: 1 });
    const replies = await askEverywhere(appId);
    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    expect(tokensOf(replies).size).toBe(1);
    expect(refreshes(appId)).toEqual({ calls: 2, successes: 2 });
  });

  it('cost one more call when the process is killed that makes it', async () => {
    const appId = await withEndedToken();
    const before = sandbox.world.counters.of('api_authorizer_token').calls;
    sandbox.world.setFault({ kind: 'hang', ms: 5_000, path: 'api_authorizer_token', times: 1 });
    const [victim, ...others] = processes as [ApiProcess, ...ApiProcess[]];
    const lost = askAt(victim.url, appId).catch(() => null);
    await eventually(() => expect(sandbox.world.counters.of('api_authorizer_token').calls).toBe(before + 1));
    const asked = askEverywhere(
      appId,
      others.map(({ url }) => url),
    );
    await eventually(async () => {
      const waiting = await query(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      );
      expect(waiting.length).toBeGreaterThan(0);
    });
    await victim.kill();
    expect(await lost).toBeNull();
    const replies = await asked;
    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    expect(tokensOf(replies).size).toBe(1);
    expect(sandbox.world.counters.of('api_authorizer_token').calls).toBe(before + 2);
    processes[0] = await startApiProcess(variables);
    expect(tokensOf([await askAt(processes[0].url, appId), replies[0]!]).size).toBe(1);
  });
});
