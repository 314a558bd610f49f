import { AuthorizerTokenService } from '@app/authorizer';
import { Keyring } from '@app/keyring';
import { PlatformCredentialService } from '@app/wechat';
import { eventually } from './support/eventually.js';
import { type HeldAnswers, startHeldAnswers } from './support/held-answers.js';
import { KEYS, TestPlatform } from './support/platform.js';

/**
 * Two things happen to one credential at once: WeChat has answered the first, the answer is kept back on its way, and meanwhile the
 * second begins. Refresh tokens change at every refresh here, so that an older one in the place of a newer one shows.
 */
let t: TestPlatform;
let wire: HeldAnswers;
const issued: { appId: string; token: string }[] = [];

jest.setTimeout(90_000);
beforeAll(async () => {
  wire = await startHeldAnswers(() => t.sandbox.url);
  t = await TestPlatform.start({
    variables: { WECHAT_API_BASE_URL: wire.url, RECONCILE_CALLS_PER_MINUTE: '60000', RECONCILE_INTERVAL_HOURS: '0' },
  });
  const { authorizations } = t.sandbox.world;
  authorizations.rotateOnRefresh = true;
  const issue = authorizations.issueAccessToken.bind(authorizations);
  jest.spyOn(authorizations, 'issueAccessToken').mockImplementation((account) => {
    const token = issue(account);
    issued.push({ appId: account.appId, token });
    return token;
  });
});
afterAll(async () => {
  await t.stop();
  await wire.close();
});

const world = () => t.sandbox.world;
const tokens = () => t.app.get(AuthorizerTokenService);
const grantOf = (appId: string) => world().accounts.get(appId).grant;
const record = async (appId: string) =>
  (await t.get<{ status: string; attention: string | null }>(`/admin/wechat/authorizers/${appId}`)).body;
const change = (appId: string, values: string) =>
  t.query(`update authorizer_credential set ${values} where app_id = $1`, [appId]);

async function kept(appId: string) {
  const [row] = await t.query<{ access: string | null; refresh: string | null }>(
    'select access_token as access, refresh_token as refresh from authorizer_credential where app_id = $1',
    [appId],
  );
  if (!row) return null;
  const open = (column: 'access' | 'refresh') =>
    row[column] &&
    t.app
      .get(Keyring)
      .open(row[column], `authorizer_credential.${column}_token:${world().credentials.componentAppId}:${appId}`);
  return { access: open('access'), refresh: open('refresh') };
}

async function authorized(): Promise<string> {
  const { appId } = world().addAccount({ kind: 'mini_program' });
  await world().authorize(appId, { funcIds: [17] });
  await eventually(async () => expect(await record(appId)).toMatchObject({ status: 'authorized' }));
  await handled(appId);
  // Long ago, so that what is found out by asking may say otherwise.
  await t.query(`update authorizer set event_time = event_time - interval '1 hour' where app_id = $1`, [appId]);
  return appId;
}

async function handled(appId: string): Promise<void> {
  await eventually(async () => {
    const open = await t.query(
      `select 1 from delivery where authorizer_app_id = $1 and state <> 'done'
       union all select 1 from returned_code where outcome is null
       union all select 1 from sync_run where finished_at is null`,
      [appId],
    );
    expect(open).toEqual([]);
  }, 30_000);
}

const lockIsWaitedFor = (isOver: () => boolean) =>
  eventually(async () => {
    if (isOver()) return;
    const waits = await t.query(
      `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    );
    expect(waits).not.toEqual([]);
  }, 30_000);

/** Each resolves when it has happened, or, where it goes on by itself, when it has begun. */
const happen = {
  'a refresh': async (appId: string) => {
    await change(appId, `access_token_expires_at = now()`);
    await tokens()
      .getAccessToken(appId)
      .catch(() => undefined);
  },
  'the exchange of a pushed code': async (appId: string) => {
    await world().updateAuthorization(appId, [17, 18]);
  },
  "the exchange of a browser's code": async (appId: string) => {
    const { code } = await world().authorize(appId, { push: false, funcIds: [17, 18, 25] });
    await fetch(`${t.url}/social/with/wechat/authorized?auth_code=${encodeURIComponent(code)}&expires_in=3600`);
  },
  'a look-up after a spent code': async (appId: string) => {
    world().setFault({ kind: 'errcode', errcode: 61009, path: 'api_query_auth', times: 1 });
    await world().updateAuthorization(appId, [17, 30]);
  },
  'a reconciliation that looks for its lost token': async (appId: string) => {
    world().replaceRefreshToken(appId);
    await change(appId, `lost = true, access_token = null, version = nextval('credential_version')`);
    await t.post('/admin/wechat/authorizers/sync');
  },
  'a reading of the account': async (appId: string) => {
    await t.post(`/admin/wechat/authorizers/${appId}/sync`);
  },
  'a revocation': async (appId: string) => {
    await world().revoke(appId);
    await eventually(async () => expect(await record(appId)).toMatchObject({ status: 'unauthorized' }), 30_000);
  },
  'a report of its token': async (appId: string) => {
    await change(appId, `reports_spent_until = null`);
    const { access } = (await kept(appId)) ?? {};
    if (access)
      await tokens()
        .reportInvalid(appId, access)
        .catch(() => undefined);
  },
};
type Happening = keyof typeof happen;

const HELD = {
  'a refresh': 'api_authorizer_token',
  'the exchange of a pushed code': 'api_query_auth',
  "the exchange of a browser's code": 'api_query_auth',
  'a look-up after a spent code': 'api_authorizer_token',
  'a reconciliation that looks for its lost token': 'api_get_authorizer_list',
  'a reading of the account': 'api_get_authorizer_info',
} as const;
const LATER: readonly Happening[] = [
  'a refresh',
  "the exchange of a browser's code",
  'a reading of the account',
  'a revocation',
  'a report of its token',
];
const MATRIX = (Object.keys(HELD) as (keyof typeof HELD)[]).flatMap((first) =>
  LATER.filter((later) => later !== first).map((later) => [first, later] as const),
);

describe('a credential is the newest that WeChat gave, or asked for anew, or gone', () => {
  it.each(MATRIX)('when %s is overtaken by %s', async (first, later) => {
    const appId = await authorized();
    const held = wire.hold(HELD[first]);
    const slow = happen[first](appId);
    await held.given;
    const fast = happen[later](appId);
    // What comes second is done, or waits for the first.
    let isOver = false;
    const blocked = lockIsWaitedFor(() => isOver);
    await Promise.race([fast, blocked]);
    isOver = true;
    held.release();
    await Promise.all([slow, fast, blocked]);
    await handled(appId);
    if (later === 'a revocation') await expectErased(appId);
    else await expectNewest(appId);
  });
});

describe('a page of the list that was read before the loss', () => {
  it.each(['the refresh token that failed', 'one that came before it'])('proves nothing: it has %s', async (listed) => {
    const appId = await authorized();
    const held = wire.hold('api_get_authorizer_list');
    await t.post('/admin/wechat/authorizers/sync');
    await held.given;
    world().replaceRefreshToken(appId);
    if (listed === 'one that came before it') {
      const context = `authorizer_credential.refresh_token:${world().credentials.componentAppId}:${appId}`;
      await change(appId, `refresh_token = '${t.app.get(Keyring).seal('came in between', context)}'`);
    }
    await change(appId, `lost = true, version = nextval('credential_version')`);
    held.release();
    // The next run has it.
    await eventually(async () => {
      expect(await kept(appId)).toMatchObject({ refresh: grantOf(appId)!.refreshToken });
    }, 60_000);
    expect(
      await t.query(`select 1 from event where authorizer_app_id = $1 and type like '%attention%'`, [appId]),
    ).toEqual([]);
  });
});

describe('an answer that WeChat would not give', () => {
  const ask = async (appId: string) => tokens().getAccessToken(appId);
  const refreshes = (appId: string) => world().counters.ofAuthorizerToken(appId).calls;

  it('with a token that lives for a minute is not asked for again by every caller', async () => {
    const appId = await authorized();
    await change(appId, 'access_token = null');
    wire.falsify('api_authorizer_token', (answer) => ({ ...answer, expires_in: 60 }));
    const { accessToken } = await ask(appId);
    for (let caller = 0; caller < 3; caller += 1) expect((await ask(appId)).accessToken).toBe(accessToken);
    expect(refreshes(appId)).toBe(1);
  });

  it('with a token that lives for a thousand years is believed for a day', async () => {
    const appId = await authorized();
    await change(appId, 'access_token = null');
    wire.falsify('api_authorizer_token', (answer) => ({ ...answer, expires_in: 31_536_000_000 }));
    expect((await ask(appId)).expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + 86_400_000);
  });

  it('without a refresh token leaves the one there is', async () => {
    const appId = await authorized();
    world().authorizations.rotateOnRefresh = false;
    await change(appId, 'access_token = null');
    wire.falsify('api_authorizer_token', ({ authorizer_refresh_token: _, ...answer }) => answer);
    const { accessToken } = await ask(appId);
    world().authorizations.rotateOnRefresh = true;
    expect(await kept(appId)).toEqual({ access: accessToken, refresh: grantOf(appId)!.refreshToken });
  });

  it('with the tokens of another account gives them to neither, and the account gets its own', async () => {
    const other = await authorized();
    const { appId } = world().addAccount({ kind: 'mini_program' });
    const before = await kept(other);
    wire.falsify('api_query_auth', ({ authorization_info }) => ({
      authorization_info: { ...(authorization_info as object), authorizer_appid: other },
    }));
    await world().authorize(appId);
    await eventually(async () => expect(await record(appId)).toMatchObject({ status: 'authorized' }));
    const { accessToken } = await ask(appId);
    expect(world().authorizations.accessTokenState(accessToken)).toEqual({ state: 'valid', appId });
    expect(issued.filter((entry) => entry.appId === appId).at(0)!.token).not.toBe(accessToken);
    expect(await kept(other)).toEqual(before);
  });
});

describe('a component token that WeChat refuses to give', () => {
  it.each([45009, 40125])('is not asked for by every caller at %i, and again with the next ticket', async (errcode) => {
    const platform = t.app.get(PlatformCredentialService);
    const calls = () => world().counters.of('api_component_token').calls;
    world().setFault({ kind: 'errcode', errcode, path: 'api_component_token' });
    await t.query('update platform_credential set access_token = null, access_token_expires_at = null');
    await eventually(async () => expect(await platform.accessToken().catch(String)).toContain(String(errcode)));
    const before = calls();
    for (let caller = 0; caller < 3; caller += 1)
      await expect(platform.accessToken()).rejects.toMatchObject({ errcode });
    expect(calls()).toBe(before);
    world().clearFaults();
    await world().pushTicket();
    await eventually(async () => expect((await platform.accessToken()).token).toEqual(expect.any(String)));
    expect(calls()).toBe(before + 1);
  });
});

describe('a component token', () => {
  const calls = () => world().counters.of('api_component_token').calls;
  const forget = () => t.query('update platform_credential set access_token = null, access_token_expires_at = null');

  it('that WeChat gives again though it was reported is not fetched by every caller', async () => {
    const ask = async (body?: object) =>
      (await t.post<{ accessToken: string }>('/internal/wechat/component-access-token', body, KEYS.service)).body;
    const { accessToken } = await ask();
    await t.query(`update platform_credential set access_token_issued_at = now() - interval '2 hours'`);
    wire.falsify('api_component_token', (answer) => ({ ...answer, component_access_token: accessToken }));
    const before = calls();
    expect(await ask({ invalidToken: accessToken })).toMatchObject({ accessToken });
    for (let caller = 0; caller < 3; caller += 1) expect(await ask()).toMatchObject({ accessToken });
    expect(calls()).toBe(before + 1);
  });

  it('is asked for at once with a ticket that came while the ticket before was being refused', async () => {
    const platform = t.app.get(PlatformCredentialService);
    await forget();
    world().setFault({ kind: 'errcode', errcode: 61006, path: 'api_component_token' });
    const held = wire.hold('api_component_token');
    const refused = eventually(async () => {
      const outcome = await platform.accessToken().catch(String);
      expect(outcome).toContain('61006');
    });
    await held.given;
    world().clearFaults();
    await world().pushTicket();
    await lockIsWaitedFor(() => false);
    held.release();
    await refused;
    await t.everythingDelivered();
    expect(await platform.accessToken()).toMatchObject({ token: expect.any(String) as string });
  });
});

describe('a refresh whose connection breaks while WeChat is asked', () => {
  it('is told to come again, and comes to a token then', async () => {
    const appId = await authorized();
    const ask = () =>
      t.post<{ code?: string }>(`/internal/wechat/authorizers/${appId}/access-token`, undefined, KEYS.service);
    await change(appId, `access_token_expires_at = now()`);
    const held = wire.hold('api_authorizer_token');
    const asked = ask();
    await held.given;
    const ended = await t.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where state = 'idle in transaction' and datname = current_database()`,
    );
    expect(ended).not.toHaveLength(0);
    held.release();
    expect(await asked).toMatchObject({ status: 503, body: { code: 'DATABASE_UNAVAILABLE' } });
    await eventually(async () => expect((await ask()).status).toBe(200), 30_000);
  });
});

async function expectErased(appId: string): Promise<void> {
  expect(await kept(appId)).toBeNull();
  expect(await record(appId)).toMatchObject({ status: 'unauthorized', attention: null });
  await expect(tokens().getAccessToken(appId)).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' });
}

async function expectNewest(appId: string): Promise<void> {
  const newest = issued.filter((entry) => entry.appId === appId).at(-1)!.token;
  expect([newest, null]).toContain((await kept(appId))!.access);
  grantOf(appId)!.previous = null;
  await change(appId, `access_token_expires_at = now()`);
  await eventually(async () => {
    const { status, body } = await t.post<{ accessToken: string }>(
      `/internal/wechat/authorizers/${appId}/access-token`,
      undefined,
      KEYS.service,
    );
    expect(status).toBe(200);
    expect(world().authorizations.accessTokenState(body.accessToken)).toEqual({ state: 'valid', appId });
    // Until the process hears of the change it answers from memory.
    expect(await kept(appId)).toEqual({ access: body.accessToken, refresh: grantOf(appId)!.refreshToken });
  });
  expect(await record(appId)).toMatchObject({ status: 'authorized', attention: null });
}
