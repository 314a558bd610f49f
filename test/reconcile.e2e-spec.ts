import { type Account } from '../apps/sandbox/src/state/account.js';
import { SyncRuns } from '../libs/authorizer/src/reconcile/sync-runs.js';
import { startApiProcess } from './support/api-process.js';
import { eventually } from './support/eventually.js';
import { KEYS, TestPlatform } from './support/platform.js';

interface Record {
  appId: string;
  status: string;
  attention: string | null;
  nickName: string | null;
  credential: { status: string };
  profileSyncedAt: string | null;
}

interface Run {
  runId: string;
  status: string;
  phase: string;
  reason: string | null;
  resumeAt: string | null;
  total: number | null;
  listed: number;
  added: number;
  restored: number;
  revoked: number;
  refreshed: number;
  finishedAt: string | null;
}

jest.setTimeout(300_000);

let t: TestPlatform;
beforeEach(async () => {
  t = await TestPlatform.start({ variables: { RECONCILE_CALLS_PER_MINUTE: '60000' } });
  await eventually(async () => expect(await t.query('select 1 from platform_credential')).toHaveLength(1));
});
afterEach(async () => {
  await t.stop();
});

const world = () => t.sandbox.world;
const record = async (appId: string) => (await t.get<Record>(`/admin/wechat/authorizers/${appId}`)).body;
const lastRun = async () => (await t.get<{ lastReconcile: Run | null }>('/admin/wechat/platform')).body.lastReconcile!;
const request = async () => {
  const answer = await t.post<{ runId: string }>('/admin/wechat/authorizers/sync');
  expect(answer.status).toBe(202);
  return answer.body.runId;
};
const listCalls = () => world().counters.of('api_get_authorizer_list').calls;
const events = (appId: string, type: string) =>
  t.query<{ data: { [name: string]: unknown } }>('select data from event where authorizer_app_id = $1 and type = $2', [
    appId,
    type,
  ]);

async function finished(runId: string): Promise<Run> {
  return eventually(async () => {
    const run = await lastRun();
    expect(run).toMatchObject({ runId });
    expect(run.finishedAt).not.toBeNull();
    return run;
  }, 150_000);
}

async function reconcile(): Promise<Run> {
  return finished(await request());
}

async function authorized(): Promise<Account> {
  const account = world().addAccount({ kind: 'service_account' });
  await world().authorize(account.appId);
  await eventually(async () => expect(await record(account.appId)).toMatchObject({ status: 'authorized' }));
  return account;
}

/** Lets all that we know have happened long ago. */
async function age(): Promise<void> {
  await t.query(
    `update authorizer set event_time = event_time - interval '1 hour', authorized_at = authorized_at - interval '1 hour',
                           created_at = created_at - interval '1 hour'`,
  );
}

describe('reconciling', () => {
  it('adds the accounts that were never heard of, with credential and profile, over several pages', async () => {
    world().addAuthorizers(500, { exchanged: false });
    const [account] = world().addAuthorizers(3);
    const run = await reconcile();
    expect(run).toMatchObject({ status: 'done', total: 503, listed: 503, added: 503, refreshed: 3 });
    expect(listCalls()).toBe(2);
    const { appId, nickName } = account!;
    expect(await record(appId)).toMatchObject({ status: 'authorized', nickName, credential: { status: 'expired' } });
    expect(await events(appId, 'authorizer.authorized')).toMatchObject([{ data: { accountType: 'mini_program' } }]);
    const token = await t.post(`/internal/wechat/authorizers/${appId}/access-token`, undefined, KEYS.service);
    expect(token.status).toBe(200);
    const again = await reconcile();
    expect(again).toMatchObject({ status: 'done', listed: 503, added: 0, restored: 0, revoked: 0, refreshed: 0 });
  });

  it('restores a refresh token that was lost, or that WeChat accepts no longer', async () => {
    const [lost, invalid] = [await authorized(), await authorized()];
    await t.query('update authorizer_credential set refresh_token = null where app_id = $1', [lost.appId]);
    world().replaceRefreshToken(invalid.appId);
    await t.query('update authorizer_credential set invalid = true where app_id = $1', [invalid.appId]);
    await t.query(`update authorizer set attention = 'reauthorization_required' where app_id = $1`, [invalid.appId]);
    expect(await reconcile()).toMatchObject({ status: 'done', restored: 2 });
    expect(await record(invalid.appId)).toMatchObject({ attention: null, credential: { status: 'valid' } });
    for (const { appId } of [lost, invalid]) {
      await t.query('update authorizer_credential set access_token = null where app_id = $1', [appId]);
      world().accounts.get(appId).grant!.previous = null;
      const token = await t.post(`/internal/wechat/authorizers/${appId}/access-token`, undefined, KEYS.service);
      expect(token.status).toBe(200);
    }
  });

  it('revokes who disappeared, however short ago it authorized, once the account itself says so too', async () => {
    const [gone, stays] = [await authorized(), await authorized()];
    await world().revoke(gone.appId, { push: false });
    const run = await reconcile();
    expect(run).toMatchObject({ status: 'done', revoked: 1 });
    expect(await record(gone.appId)).toMatchObject({ status: 'unauthorized', credential: { status: 'missing' } });
    expect(await record(stays.appId)).toMatchObject({ status: 'authorized' });
    expect(await events(gone.appId, 'authorizer.unauthorized')).toMatchObject([{ data: { reason: 'reconciled' } }]);
  });

  it('believes the account and not a list that forgot it', async () => {
    const { appId } = await authorized();
    const list = world().accounts.authorized.bind(world().accounts);
    jest.spyOn(world().accounts, 'authorized').mockImplementation(() => list().filter((a) => a.appId !== appId));
    expect(await reconcile()).toMatchObject({ status: 'done', revoked: 0 });
    expect(await record(appId)).toMatchObject({ status: 'authorized' });
  });

  it('leaves alone who authorized after the page was read on which it would have been', async () => {
    world().addAuthorizers(600, { exchanged: false });
    world().setFault({ kind: 'hang', ms: 1_500, path: 'api_get_authorizer_list', times: 1 });
    const list = world().accounts.authorized.bind(world().accounts);
    const runId = await request();
    await eventually(() => expect(listCalls()).toBe(1));
    const fresh = await authorized();
    jest.spyOn(world().accounts, 'authorized').mockImplementation(() => list().filter((a) => a.appId !== fresh.appId));
    world().setFault({ kind: 'errcode', errcode: 61003, path: 'api_get_authorizer_info' });
    expect(await finished(runId)).toMatchObject({ status: 'done', revoked: 0 });
    expect(await record(fresh.appId)).toMatchObject({ status: 'authorized' });
    expect(await events(fresh.appId, 'authorizer.unauthorized')).toEqual([]);
  });

  it('does not bring back who withdrew after the list was read', async () => {
    const { appId } = await authorized();
    world().setFault({ kind: 'hang', ms: 1_000, path: 'api_get_authorizer_list', times: 1 });
    const list = world().accounts.authorized.bind(world().accounts);
    const before = [...list()].map((account) => ({ ...account, grant: { ...account.grant! } }));
    jest.spyOn(world().accounts, 'authorized').mockImplementation(() => before);
    const runId = await request();
    await eventually(() => expect(listCalls()).toBe(1));
    await world().revoke(appId);
    await eventually(async () => expect(await record(appId)).toMatchObject({ status: 'unauthorized' }));
    expect(await finished(runId)).toMatchObject({ status: 'done', added: 0 });
    expect(await record(appId)).toMatchObject({ status: 'unauthorized', credential: { status: 'missing' } });
  });

  it('finds an authorization whose push was lost, though a revocation was heard before', async () => {
    const { appId } = await authorized();
    await world().revoke(appId);
    await eventually(async () => expect(await record(appId)).toMatchObject({ status: 'unauthorized' }));
    await age();
    const { code } = await world().authorize(appId, { push: false });
    world().authorizations.exchange(code);
    expect(await reconcile()).toMatchObject({ status: 'done', added: 1 });
    expect(await record(appId)).toMatchObject({ status: 'authorized', credential: { status: 'expired' } });
    expect(await events(appId, 'authorizer.authorized')).toHaveLength(2);
  });

  it('says of an account whose code was never exchanged that it has to authorize again', async () => {
    const [account] = world().addAuthorizers(1, { exchanged: false });
    expect(await reconcile()).toMatchObject({ status: 'done', added: 1 });
    expect(await record(account!.appId)).toMatchObject({ status: 'pending', attention: 'reauthorization_required' });
  });

  it('revokes whoever was never more than pending, and withdrew', async () => {
    const [account] = world().addAuthorizers(1, { exchanged: false });
    const { appId } = account!;
    await reconcile();
    expect(await record(appId)).toMatchObject({ status: 'pending', attention: 'reauthorization_required' });
    await world().revoke(appId, { push: false });
    await t.query(`update authorizer set event_time = event_time - interval '1 hour'`);
    await reconcile();
    expect(await record(appId)).toMatchObject({ status: 'unauthorized', attention: null });
  });

  it('reads stale profiles again, and announces what is different', async () => {
    const account = await authorized();
    account.nickName = '新名字';
    await t.query(`update authorizer set profile_synced_at = now() - interval '8 days'`);
    expect(await reconcile()).toMatchObject({ status: 'done', refreshed: 1 });
    expect(await record(account.appId)).toMatchObject({ nickName: '新名字' });
    expect(await events(account.appId, 'authorizer.updated')).toMatchObject([
      { data: { changes: { fields: ['nickName'] } } },
    ]);
  });

  it.each([
    [45009, 'until the next day in China', (ms: number) => ms > 60_000 && ms <= 24 * 3_600_000 + 6 * 60_000],
    [45011, 'for a minute', (ms: number) => ms > 50_000 && ms <= 61_000],
  ])('stops at %i %s, says why, and goes on where it was when asked to', async (errcode, _, isRight) => {
    world().addAuthorizers(1_100, { exchanged: false });
    world().setFault({ kind: 'hang', ms: 1, path: 'api_get_authorizer_list', times: 1 });
    world().setFault({ kind: 'errcode', errcode, path: 'api_get_authorizer_list', times: 1 });
    const runId = await request();
    const paused = await eventually(async () => {
      const run = await lastRun();
      expect(run).toMatchObject({ runId, status: 'paused', listed: 500 });
      return run;
    }, 150_000);
    expect(paused.reason).toContain(String(errcode));
    expect(isRight(Date.parse(paused.resumeAt!) - Date.now())).toBe(true);
    expect(await request()).toBe(runId);
    expect(await finished(runId)).toMatchObject({ status: 'done', listed: 1_100, added: 1_100 });
    expect(listCalls()).toBe(4);
  });

  it('goes on from its last page in another process', async () => {
    world().addAuthorizers(1_100, { exchanged: false });
    world().setFault({ kind: 'hang', ms: 1, path: 'api_get_authorizer_list', times: 1 });
    world().setFault({ kind: 'hang', ms: 60_000, path: 'api_get_authorizer_list', times: 1 });
    const runId = await request();
    await eventually(async () => expect(await lastRun()).toMatchObject({ listed: 500 }), 150_000);
    await t.stopApp();
    await t.startApp();
    expect(await request()).toBe(runId);
    expect(await finished(runId)).toMatchObject({ status: 'done', listed: 1_100, added: 1_100 });
    expect(listCalls()).toBe(4);
  });

  it('goes on from its last page in another replica when its process is killed', async () => {
    world().addAuthorizers(1_100, { exchanged: false });
    const { PORT: _, ...shared } = t.variables;
    const { componentAppId, componentAppSecret, token, encodingAesKey } = world().credentials;
    const victim = await startApiProcess({
      ...shared,
      NODE_ENV: 'production',
      WECHAT_COMPONENT_APP_ID: componentAppId,
      WECHAT_COMPONENT_APP_SECRET: componentAppSecret,
      WECHAT_TOKEN: token,
      WECHAT_ENCODING_AES_KEY: encodingAesKey,
    });
    world().setFault({ kind: 'hang', ms: 1, path: 'api_get_authorizer_list', times: 1 });
    world().setFault({ kind: 'hang', ms: 60_000, path: 'api_get_authorizer_list', times: 1 });
    await fetch(`${victim.url}/admin/wechat/authorizers/sync`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEYS.operator}` },
    });
    await eventually(async () => expect(await lastRun()).toMatchObject({ listed: 500 }), 150_000);
    await victim.kill();
    expect(await lastRun()).toMatchObject({ status: 'running', listed: 500 });
    // What three quarters of a minute would do.
    await t.query('update sync_run set lease_until = now()');
    const { runId } = await lastRun();
    expect(await finished(runId)).toMatchObject({ status: 'done', listed: 1_100, added: 1_100 });
  });

  it('starts by schedule when the last one began long enough ago, once for all replicas, and not without a ticket', async () => {
    const runs = t.app.get(SyncRuns);
    const count = async () => (await t.query('select 1 from sync_run')).length;
    const look = () => Promise.all([runs.startWhenDue(86_400), runs.startWhenDue(86_400), runs.startWhenDue(86_400)]);
    await t.query('update platform_credential set ticket = null');
    await look();
    expect(await count()).toBe(0);
    await t.query(`update platform_credential set ticket = 'v1.test.one'`);
    await look();
    expect(await count()).toBe(1);
    await t.query(`update sync_run set status = 'done', finished_at = now(), started_at = now() - interval '23 hours'`);
    await look();
    expect(await count()).toBe(1);
    await t.query(`update sync_run set started_at = now() - interval '25 hours'`);
    await look();
    expect(await t.query('select requested_by, status from sync_run order by id')).toMatchObject([
      { status: 'done' },
      { requested_by: 'schedule' },
    ]);
  });

  it('is one run, whoever asks for it and however often', async () => {
    world().setFault({ kind: 'hang', ms: 500, path: 'api_get_authorizer_list', times: 1 });
    const ids = await Promise.all(Array.from({ length: 5 }, request));
    expect(new Set(ids).size).toBe(1);
    await finished(ids[0]!);
    expect(listCalls()).toBe(1);
    expect((await t.post('/admin/wechat/authorizers/sync', undefined, KEYS.viewer)).status).toBe(403);
    expect((await t.post('/admin/wechat/authorizers/sync', { all: true })).status).toBe(400);
  });
});

describe('refresh tokens that are lost in numbers', () => {
  const ask = (appId: string) => t.post(`/internal/wechat/authorizers/${appId}/access-token`, undefined, KEYS.service);
  const loseTokenOf = async (appId: string) => {
    world().replaceRefreshToken(appId);
    await t.query('update authorizer_credential set access_token = null where app_id = $1', [appId]);
  };

  it('are found by one reading of the list, which nobody waits for and an operator sees', async () => {
    const accounts = await Promise.all(Array.from({ length: 8 }, authorized));
    world().addAuthorizers(500, { exchanged: false });
    await Promise.all(accounts.map(({ appId }) => loseTokenOf(appId)));
    world().setFault({ kind: 'errcode', errcode: 61007, path: 'api_get_authorizer_info' });
    world().setFault({ kind: 'errcode', errcode: 45011, path: 'api_get_authorizer_list' });
    expect(await ask(accounts[0]!.appId)).toMatchObject({ status: 503 });
    await eventually(async () => expect(await lastRun()).toMatchObject({ status: 'paused' }));
    const answers = await Promise.all(accounts.map(({ appId }) => ask(appId)));
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 503, body: { code: 'WECHAT_UNAVAILABLE' } });
      // The run goes on a minute after it paused.
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(30);
    }
    world().clearFaults();
    const before = listCalls();
    const run = await finished(await request());
    expect(run).toMatchObject({ status: 'done', restored: accounts.length, total: 508 });
    expect(listCalls()).toBe(before + 2);
    for (const { appId } of accounts) {
      expect(await ask(appId)).toMatchObject({ status: 200 });
      expect(await events(appId, 'authorizer.attention_required')).toEqual([]);
    }
  });

  it('are searched for before the profiles that are left, when a long run is at those', async () => {
    const [lost, stale] = [await authorized(), await authorized()];
    await loseTokenOf(lost.appId);
    await t.query(`update authorizer_credential set lost = true where app_id = $1`, [lost.appId]);
    await t.query(`update authorizer set profile_synced_at = null where app_id = $1`, [stale.appId]);
    await t.query(
      `insert into sync_run (component_app_id, requested_by, phase, started_at, listed_at)
       values ($1, 'operator', 'profiles', now() - interval '1 hour', now() - interval '59 minutes')`,
      [world().credentials.componentAppId],
    );
    const first = await request();
    const second = await eventually(async () => {
      const run = await lastRun();
      expect(run).toMatchObject({ status: 'done', restored: 1, refreshed: 1 });
      return run;
    }, 60_000);
    expect(second.runId).not.toBe(first);
    expect(await ask(lost.appId)).toMatchObject({ status: 200 });
  });

  it('call for the merchants when the list does not help, or does not have them', async () => {
    const [listed, absent] = [await authorized(), await authorized()];
    world().setFault({ kind: 'errcode', errcode: 61023, path: 'api_authorizer_token' });
    world().setFault({ kind: 'errcode', errcode: 61007, path: 'api_get_authorizer_info' });
    const list = world().accounts.authorized.bind(world().accounts);
    jest
      .spyOn(world().accounts, 'authorized')
      .mockImplementation(() => list().filter(({ appId }) => appId !== absent.appId));
    for (const { appId } of [listed, absent]) {
      await loseTokenOf(appId);
      await eventually(async () => expect(await ask(appId)).toMatchObject({ status: 409 }), 60_000);
      expect(await record(appId)).toMatchObject({ status: 'authorized', attention: 'reauthorization_required' });
      expect(await events(appId, 'authorizer.attention_required')).toHaveLength(1);
    }
  });
});

describe('reading one account again', () => {
  const sync = (appId: string) => t.post<Record & { code?: string }>(`/admin/wechat/authorizers/${appId}/sync`);

  it('answers the fresh authorizer', async () => {
    const account = await authorized();
    account.nickName = '改名了';
    expect(await sync(account.appId)).toMatchObject({ status: 200, body: { nickName: '改名了' } });
  });

  it('notices a freeze, its end, and a revocation that was never pushed', async () => {
    const { appId } = await authorized();
    world().setStatus(appId, 'frozen');
    expect((await sync(appId)).body).toMatchObject({ attention: 'account_frozen' });
    world().setStatus(appId, 'normal');
    expect((await sync(appId)).body).toMatchObject({ attention: null, status: 'authorized' });
    await world().revoke(appId, { push: false });
    expect((await sync(appId)).body).toMatchObject({ status: 'unauthorized' });
  });

  it('asks WeChat though callers are told to wait', async () => {
    const { appId } = await authorized();
    await t.query(
      `update authorizer_credential set retry_at = now() + interval '10 minutes', failure = 'A pause' where app_id = $1`,
      [appId],
    );
    await world().revoke(appId, { push: false });
    expect((await sync(appId)).body).toMatchObject({ status: 'unauthorized' });
  });

  it('restores a lost refresh token, and an authorization that was never pushed', async () => {
    const { appId } = await authorized();
    await t.query('delete from authorizer_credential where app_id = $1', [appId]);
    expect((await sync(appId)).body).toMatchObject({ status: 'authorized', credential: { status: 'expired' } });
    await world().revoke(appId);
    await eventually(async () => expect(await record(appId)).toMatchObject({ status: 'unauthorized' }));
    await age();
    const { code } = await world().authorize(appId, { push: false });
    world().authorizations.exchange(code);
    expect((await sync(appId)).body).toMatchObject({ status: 'authorized', credential: { status: 'expired' } });
  });

  it('answers 404 for an unknown account, 503 while WeChat is away, 403 to a viewer', async () => {
    expect(await sync('wx0000000000000000')).toMatchObject({ status: 404 });
    const { appId } = await authorized();
    world().setFault({ kind: 'http', status: 502 });
    expect(await sync(appId)).toMatchObject({ status: 503, body: { code: 'WECHAT_UNAVAILABLE' } });
    expect(await t.post(`/admin/wechat/authorizers/${appId}/sync`, undefined, KEYS.viewer)).toMatchObject({
      status: 403,
    });
  });
});
