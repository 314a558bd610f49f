import { AuthorizerTokenService } from '@app/authorizer';
import { Keyring } from '@app/keyring';
import { PlatformCredentialService, WechatApiError } from '@app/wechat';
import { Client } from 'pg';
import pino from 'pino';
import { createApp } from '../apps/api/src/create-app.js';
import { type Account } from '../apps/sandbox/src/state/account.js';
import { AuthorizerSync } from '../libs/authorizer/src/reconcile/authorizer-sync.js';
import { eventually } from './support/eventually.js';
import { KEYS, TestPlatform } from './support/platform.js';

interface Handed {
  accessToken: string;
  expiresAt: string;
  code?: string | number;
  detail?: string;
}

interface Record {
  status: string;
  attention: string | null;
  credential: { status: string };
}

let t: TestPlatform;
beforeAll(async () => {
  t = await TestPlatform.start();
});
afterAll(async () => {
  await t.stop();
});
afterEach(() => {
  t.sandbox.world.clearFaults();
});

const door = (appId: string) => `/internal/wechat/authorizers/${appId}/access-token`;
const ask = (appId: string, body?: unknown) => t.post<Handed>(door(appId), body, KEYS.service);
const record = async (appId: string) => (await t.get<Record>(`/admin/wechat/authorizers/${appId}`)).body;
const refreshes = (appId: string) => t.sandbox.world.counters.ofAuthorizerToken(appId);

async function authorized(): Promise<Account> {
  const account = t.sandbox.world.addAccount({ kind: 'mini_program' });
  await t.sandbox.world.authorize(account.appId);
  await eventually(async () => expect(await record(account.appId)).toMatchObject({ status: 'authorized' }));
  return account;
}

/** Lets our copy of the token end in so many seconds. */
async function endIn(appId: string, seconds: number): Promise<void> {
  await t.query(
    `update authorizer_credential set access_token_expires_at = now() + make_interval(secs => $2), retry_at = null,
       access_token_issued_at = now() - interval '2 hours' where app_id = $1`,
    [appId, seconds],
  );
}

/** As if nothing had been reported for long. */
async function outgrowCoolDown(): Promise<void> {
  for (const table of ['authorizer_credential', 'platform_credential'])
    await t.query(`update ${table} set reports_spent_until = null`);
}

async function withEndedToken(): Promise<string> {
  const { appId } = await authorized();
  await endIn(appId, -1);
  return appId;
}

/** Another connection holds every row of the table meanwhile, as a process does that asks WeChat. */
async function whileHeld<T>(table: string, work: () => Promise<T>): Promise<T> {
  const other = new Client({ connectionString: t.database.url });
  await other.connect();
  try {
    await other.query('begin');
    await other.query(`select 1 from ${table} for update`);
    return await work();
  } finally {
    await other.end();
  }
}

/** How many connections wait for a lock, once one does. */
const lockWaits = () =>
  eventually(async () => {
    const waits = await t.query(
      `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    );
    expect(waits).not.toHaveLength(0);
    return waits.length;
  });

/** As another process does, of which we hear nothing. */
async function replaceComponentToken(token = 'replaced'): Promise<void> {
  const appId = t.sandbox.world.credentials.componentAppId;
  const sealed = t.app.get(Keyring).seal(token, `platform_credential.access_token:${appId}`);
  await t.query('update platform_credential set access_token = $1', [sealed]);
}

const events = (appId: string, type: string) =>
  t.query<{ data: unknown }>('select data from event where authorizer_app_id = $1 and type = $2', [appId, type]);

describe('the door for services', () => {
  it('hands out the token of an account, and says not to store the answer', async () => {
    const { appId } = await authorized();
    const answer = await ask(appId);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(t.sandbox.world.authorizations.accessTokenState(answer.body.accessToken)).toEqual({ state: 'valid', appId });
    expect(Date.parse(answer.body.expiresAt)).toBeGreaterThan(Date.now() + 5 * 60_000);
    expect(Object.keys(answer.body)).toEqual(['accessToken', 'expiresAt']);
    expect(refreshes(appId).calls).toBe(0);
  });

  it('hands out the component token, and another one when that is reported as dead', async () => {
    const first = await t.post<Handed>('/internal/wechat/component-access-token', undefined, KEYS.service);
    expect(first.status).toBe(200);
    expect(first.headers.get('cache-control')).toBe('no-store');
    expect(t.sandbox.world.platform.tokenState(first.body.accessToken)).toBe('valid');
    const report = { invalidToken: first.body.accessToken };
    await outgrowCoolDown();
    const second = await t.post<Handed>('/internal/wechat/component-access-token', report, KEYS.service);
    expect(second.body.accessToken).not.toBe(first.body.accessToken);
    const third = await t.post<Handed>('/internal/wechat/component-access-token', report, KEYS.service);
    expect(third.body.accessToken).toBe(second.body.accessToken);
  });

  it('is closed to operators, to strangers and to fields nobody knows', async () => {
    const { appId } = await authorized();
    expect((await t.post(door(appId), undefined, KEYS.operator)).status).toBe(403);
    expect((await t.post(door(appId), undefined, null)).status).toBe(401);
    expect(await ask(appId, { invalid: 'x' })).toMatchObject({ status: 400 });
    expect(await t.post(`${door(appId)}?x=1`, undefined, KEYS.service)).toMatchObject({ status: 400 });
  });

  it('counts what it hands out by key', async () => {
    const { appId } = await authorized();
    const counted = async () => {
      const { text } = await t.get('/metrics', null);
      return Number(/handed_out_total\{key="service",token="authorizer"\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    const before = await counted();
    await ask(appId);
    await ask('wx0000000000000000');
    expect(await counted()).toBe(before + 1);
  });

  it('tells an unknown account from a withdrawn one', async () => {
    expect(await ask('wx0000000000000000')).toMatchObject({ status: 404, body: { code: 'UNKNOWN_AUTHORIZER' } });
    const { appId } = await authorized();
    const { accessToken } = (await ask(appId)).body;
    await t.sandbox.world.revoke(appId);
    await eventually(async () =>
      expect(await ask(appId)).toMatchObject({ status: 409, body: { code: 'NOT_AUTHORIZED' } }),
    );
    expect(await ask(appId, { invalidToken: accessToken })).toMatchObject({ status: 409 });
  });

  it('says for how long to stay away while WeChat is away and no token is left', async () => {
    const appId = await withEndedToken();
    t.sandbox.world.setFault({ kind: 'http', status: 502, path: 'api_authorizer_token' });
    const answer = await ask(appId);
    expect(answer).toMatchObject({ status: 503, body: { code: 'WECHAT_UNAVAILABLE' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const { calls } = t.sandbox.world.counters.of('api_authorizer_token');
    expect(await ask(appId)).toMatchObject({ status: 503 });
    expect(t.sandbox.world.counters.of('api_authorizer_token').calls).toBe(calls);
  });

  it('says so too when there is no component token to be had', async () => {
    const bare = await TestPlatform.start({ ticket: false });
    try {
      const answer = await bare.post<Handed>('/internal/wechat/component-access-token', undefined, KEYS.service);
      expect(answer).toMatchObject({ status: 503, body: { code: 'WECHAT_UNAVAILABLE' } });
      expect(answer.headers.get('retry-after')).toBe('60');
    } finally {
      await bare.stop();
    }
  });
});

describe('a token', () => {
  it('comes from memory the second time', async () => {
    const { appId } = await authorized();
    // News of the authorization itself may still be on its way, and make the process forget once more.
    await eventually(async () => {
      const { body } = await ask(appId);
      await t.query('alter table authorizer_credential rename to away');
      try {
        expect((await ask(appId)).body).toEqual(body);
      } finally {
        await t.query('alter table away rename to authorizer_credential');
      }
    });
  });

  it('is fetched again when less than five minutes are left, and kept with the refresh token that came with it', async () => {
    const { appId } = await authorized();
    const { accessToken } = (await ask(appId)).body;
    await endIn(appId, 299);
    t.sandbox.world.authorizations.rotateOnRefresh = true;
    const fresh = await eventually(async () => {
      const { body } = await ask(appId);
      expect(body.accessToken).not.toBe(accessToken);
      return body;
    });
    expect(Date.parse(fresh.expiresAt)).toBeGreaterThan(Date.now() + 7_000_000);
    for (const calls of [2, 3]) {
      t.sandbox.world.accounts.get(appId).grant!.previous = null;
      await endIn(appId, 0);
      await eventually(async () => {
        expect((await ask(appId)).status).toBe(200);
        expect(refreshes(appId)).toEqual({ calls, successes: calls });
      });
    }
    t.sandbox.world.authorizations.rotateOnRefresh = false;
  });

  it('is served as long as it lasts while WeChat is away', async () => {
    const { appId } = await authorized();
    const { accessToken } = (await ask(appId)).body;
    t.sandbox.world.setFault({ kind: 'http', status: 502 });
    await endIn(appId, 200);
    expect(await ask(appId)).toMatchObject({ status: 200, body: { accessToken } });
  });

  it('is not waited for without end when another process holds it', async () => {
    const [lasting, ended] = [(await authorized()).appId, await withEndedToken()];
    const { accessToken } = (await ask(lasting)).body;
    await endIn(lasting, 200);
    const other = new Client({ connectionString: t.database.url });
    await other.connect();
    try {
      await other.query('begin');
      await other.query('select 1 from authorizer_credential where app_id = any($1) for update', [[lasting, ended]]);
      const [good, none] = await Promise.all([ask(lasting), ask(ended)]);
      expect(good).toMatchObject({ status: 200, body: { accessToken } });
      expect(none).toMatchObject({ status: 503, body: { code: 'WECHAT_UNAVAILABLE' } });
      expect(none.headers.get('retry-after')).toBe('2');
    } finally {
      await other.end();
    }
    expect((await ask(ended)).status).toBe(200);
  });

  it('is dropped from the memory of every process at once when another one replaces it', async () => {
    const { appId } = await authorized();
    const tokens = t.app.get(AuthorizerTokenService);
    const { accessToken } = await tokens.getAccessToken(appId);
    const peer = await createApp(t.env, pino({ level: 'silent' }));
    await peer.init();
    try {
      const theirs = peer.get(AuthorizerTokenService);
      await outgrowCoolDown();
      await theirs.reportInvalid(appId, accessToken);
      const fresh = await theirs.getAccessToken(appId);
      await eventually(async () => expect(await tokens.getAccessToken(appId)).toEqual(fresh));
      expect(refreshes(appId).calls).toBe(1);
    } finally {
      await peer.close();
    }
  });

  it('is not kept in memory while news of changes cannot arrive', async () => {
    const { appId } = await authorized();
    await ask(appId);
    await t.query('alter table authorizer_credential disable trigger tr_authorizer_credential_changed');
    await t.query(`update authorizer_credential set access_token = null where app_id = $1`, [appId]);
    await ask(appId);
    expect(refreshes(appId).calls).toBe(0);
    await t.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'wechat-listen' and datname = current_database()`,
    );
    await eventually(async () => {
      await ask(appId);
      expect(refreshes(appId).calls).toBe(1);
    });
    await t.query('alter table authorizer_credential enable trigger tr_authorizer_credential_changed');
  });

  it.each([['a revocation', 'NOT_AUTHORIZED', (appId: string) => t.sandbox.world.revoke(appId)]] as const)(
    'that arrives after %s is not given to anybody',
    async (_, code, change) => {
      const appId = await withEndedToken();
      t.sandbox.world.setFault({ kind: 'hang', ms: 700, path: 'api_authorizer_token', times: 1 });
      const asked = ask(appId);
      await eventually(() => expect(t.sandbox.world.counters.of('api_authorizer_token').faults).toBeGreaterThan(0));
      await change(appId);
      await asked;
      await eventually(async () => expect(await ask(appId)).toMatchObject({ status: 409, body: { code } }));
      expect(await t.query('select 1 from authorizer_credential where app_id = $1', [appId])).toEqual([]);
    },
  );

  it('that was asked for before a new authorization does not overwrite the newer one', async () => {
    const appId = await withEndedToken();
    t.sandbox.world.setFault({ kind: 'hang', ms: 700, path: 'api_authorizer_token', times: 1 });
    const asked = ask(appId);
    await eventually(() => expect(t.sandbox.world.counters.of('api_authorizer_token').faults).toBeGreaterThan(0));
    await t.sandbox.world.updateAuthorization(appId, [18]);
    await asked;
    const newest = t.sandbox.world.accounts.get(appId).grant!.refreshToken;
    t.sandbox.world.accounts.get(appId).grant!.previous = null;
    await eventually(async () => {
      const [{ open }] = (await t.query<{ open: number }>(
        `select count(*)::int as open from delivery where authorizer_app_id = $1 and state <> 'done'`,
        [appId],
      )) as [{ open: number }];
      expect(open).toBe(0);
    });
    await endIn(appId, -1);
    expect((await ask(appId)).status).toBe(200);
    expect(t.sandbox.world.accounts.get(appId).grant!.refreshToken).toBe(newest);
  });
});

describe('a token that is reported as dead', () => {
  it('is replaced by one refresh, however many report it', async () => {
    const { appId } = await authorized();
    const dead = (await ask(appId)).body.accessToken;
    await outgrowCoolDown();
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(appId, { invalidToken: dead })));
    expect(new Set(answers.map(({ body }) => body.accessToken)).size).toBe(1);
    expect(answers[0]!.body.accessToken).not.toBe(dead);
    expect(refreshes(appId)).toEqual({ calls: 1, successes: 1 });
  });

  it('stays dead alone: a late report leaves the newer token alive', async () => {
    const { appId } = await authorized();
    const dead = (await ask(appId)).body.accessToken;
    await outgrowCoolDown();
    const { accessToken } = (await ask(appId, { invalidToken: dead })).body;
    const late = await Promise.all(Array.from({ length: 10 }, () => ask(appId, { invalidToken: dead })));
    expect(late.map(({ body }) => body.accessToken)).toEqual(Array(10).fill(accessToken));
    expect(await ask(appId, { invalidToken: 'never a token of ours' })).toMatchObject({ body: { accessToken } });
    expect(refreshes(appId).calls).toBe(1);
  });

  it('is replaced however young it is, but not for ever, so that reports cannot use up the quota', async () => {
    const { appId } = await authorized();
    let last = (await ask(appId)).body.accessToken;
    const given = new Set([last]);
    for (let report = 0; report < 8; report += 1) {
      last = (await ask(appId, { invalidToken: last })).body.accessToken;
      given.add(last);
    }
    expect(given.size).toBe(6);
    expect(refreshes(appId)).toEqual({ calls: 5, successes: 5 });
    await outgrowCoolDown();
    expect((await ask(appId, { invalidToken: last })).body.accessToken).not.toBe(last);
  });

  it('leaves connections for others while the row is held', async () => {
    const { appId } = await authorized();
    const dead = (await ask(appId)).body.accessToken;
    await outgrowCoolDown();
    const answers = await whileHeld('authorizer_credential', async () => {
      const reports = Array.from({ length: 30 }, () => ask(appId, { invalidToken: dead }));
      expect(await lockWaits()).toBeLessThanOrEqual(1);
      return Promise.all(reports);
    });
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(answers[0]).toMatchObject({ body: { code: 'WECHAT_UNAVAILABLE' } });
    expect(answers[0]!.headers.get('retry-after')).toBe('2');
    expect((await ask(appId, { invalidToken: dead })).body.accessToken).not.toBe(dead);
  });
});

describe('a component token', () => {
  const platform = () => t.app.get(PlatformCredentialService);
  const componentCalls = () => t.sandbox.world.counters.of('api_component_token').calls;
  const refused = () => Promise.reject(new WechatApiError('api_create_preauthcode', 40001, ''));

  it('is renewed when WeChat calls it invalid, however young it is, and the call is repeated with the next', async () => {
    await outgrowCoolDown();
    const { token } = await platform().accessToken();
    const before = componentCalls();
    const work = jest.fn((used: string) => (used === token ? refused() : Promise.resolve('done')));
    expect(await platform().call(work)).toBe('done');
    expect(work).toHaveBeenCalledTimes(2);
    expect(componentCalls()).toBe(before + 1);
  });

  it('costs few renewals where WeChat calls every one invalid, and no call is repeated with the same', async () => {
    await outgrowCoolDown();
    await platform().accessToken();
    const before = componentCalls();
    const used: string[][] = [];
    for (let call = 0; call < 8; call += 1) {
      const work = jest.fn((_: string) => refused());
      await expect(platform().call(work)).rejects.toThrow();
      used.push(work.mock.calls.flat());
    }
    for (const tokens of used) expect(new Set(tokens).size).toBe(tokens.length);
    expect(used.map(({ length }) => length)).toEqual([2, 2, 2, 2, 2, 1, 1, 1]);
    expect(componentCalls()).toBe(before + 5);
    await outgrowCoolDown();
  });

  it('that another process has replaced or dropped is out of the memory of all at once', async () => {
    const { token } = await platform().accessToken();
    await replaceComponentToken();
    await eventually(async () => expect((await platform().accessToken()).token).toBe('replaced'));
    expect(token).not.toBe('replaced');
    await t.query('update platform_credential set access_token = null, access_token_expires_at = null');
    await eventually(async () => {
      const { token: fresh } = await platform().accessToken();
      expect(t.sandbox.world.platform.tokenState(fresh)).toBe('valid');
    });
  });

  it('that another process has replaced is noticed within half a minute though the news was lost', async () => {
    await platform().accessToken();
    await t.query('alter table platform_credential disable trigger tr_platform_credential_changed');
    await replaceComponentToken('replaced in silence');
    const now = jest.spyOn(Date, 'now');
    try {
      await platform().accessToken();
      const later = Date.now() + 31_000;
      now.mockImplementation(() => later);
      expect((await platform().accessToken()).token).toBe('replaced in silence');
    } finally {
      now.mockRestore();
      await t.query('alter table platform_credential enable trigger tr_platform_credential_changed');
    }
  });

  it('that another process has replaced is taken over by the timer', async () => {
    const { token } = await platform().accessToken();
    await replaceComponentToken('replaced again');
    await platform().renewAhead();
    expect(token).not.toBe('replaced again');
    expect((await platform().accessToken()).token).toBe('replaced again');
  });

  it('is reported without waiting for its renewal', async () => {
    const { token } = await platform().accessToken();
    await outgrowCoolDown();
    await whileHeld('platform_credential', async () => {
      const reports = Promise.all(Array.from({ length: 30 }, () => platform().reportInvalid(token)));
      expect(await lockWaits()).toBeLessThanOrEqual(1);
      await reports;
    });
    expect((await platform().accessToken()).token).not.toBe(token);
  });
});

describe('recovery', () => {
  /** Once the list has been searched. Until then a caller is told to come again. */
  const becomesHopeless = async (appId: string, code: string) => {
    await eventually(async () => expect(await ask(appId)).toMatchObject({ status: 409, body: { code } }));
  };

  it('finds a replaced refresh token in the information of the account', async () => {
    const appId = await withEndedToken();
    t.sandbox.world.replaceRefreshToken(appId);
    t.sandbox.world.accounts.get(appId).grant!.previous = null;
    expect(await ask(appId)).toMatchObject({ status: 200 });
    expect(await record(appId)).toMatchObject({ attention: null, credential: { status: 'valid' } });
  });

  it('finds it in the list when the information does not help, and keeps nobody waiting for long', async () => {
    const appId = await withEndedToken();
    t.sandbox.world.replaceRefreshToken(appId);
    t.sandbox.world.accounts.get(appId).grant!.previous = null;
    t.sandbox.world.setFault({ kind: 'errcode', errcode: 61007, path: 'api_get_authorizer_info', times: 1 });
    t.sandbox.world.setFault({ kind: 'hang', ms: 5_000, path: 'api_get_authorizer_list', times: 1 });
    const answer = await ask(appId);
    expect(answer).toMatchObject({ status: 503, body: { code: 'WECHAT_UNAVAILABLE' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(30);
    await eventually(async () => expect(await ask(appId)).toMatchObject({ status: 200 }), 30_000);
    expect(await record(appId)).toMatchObject({ attention: null, credential: { status: 'valid' } });
    expect(await events(appId, 'authorizer.attention_required')).toEqual([]);
    // A list that takes long to read is not read again soon.
    await eventually(async () =>
      expect(await t.query('delete from sync_run where finished_at is not null returning 1')).not.toEqual([]),
    );
  });

  it('says that the merchant has to authorize again when there is no other refresh token, and asks WeChat no more', async () => {
    const appId = await withEndedToken();
    t.sandbox.world.setFault({ kind: 'errcode', errcode: 61023, path: 'api_authorizer_token' });
    await becomesHopeless(appId, 'REAUTHORIZATION_REQUIRED');
    expect(await record(appId)).toMatchObject({
      status: 'authorized',
      attention: 'reauthorization_required',
      credential: { status: 'invalid' },
    });
    expect(await events(appId, 'authorizer.attention_required')).toEqual([
      { data: { attention: 'reauthorization_required' } },
    ]);
    const { calls } = t.sandbox.world.counters.of('api_authorizer_token');
    expect(await ask(appId)).toMatchObject({ status: 409 });
    expect(t.sandbox.world.counters.of('api_authorizer_token').calls).toBe(calls);
  });

  it('revokes an account that WeChat and its list know no more', async () => {
    const appId = await withEndedToken();
    await t.query(`update authorizer set event_time = event_time - interval '5 minutes' where app_id = $1`, [appId]);
    await t.sandbox.world.revoke(appId, { push: false });
    await becomesHopeless(appId, 'NOT_AUTHORIZED');
    expect(await record(appId)).toMatchObject({ status: 'unauthorized', credential: { status: 'missing' } });
    expect(await events(appId, 'authorizer.unauthorized')).toEqual([
      { data: { tenantId: null, state: null, reason: 'reconciled' } },
    ]);
  });

  it('does not revoke an account that the list still names', async () => {
    const appId = await withEndedToken();
    t.sandbox.world.setFault({ kind: 'errcode', errcode: 61003, path: 'api_authorizer_token' });
    await becomesHopeless(appId, 'REAUTHORIZATION_REQUIRED');
    expect(await record(appId)).toMatchObject({ status: 'authorized', attention: 'reauthorization_required' });
  });

  it('notes a frozen account, leaves it alone, and notes when it is well again', async () => {
    const appId = await withEndedToken();
    t.sandbox.world.setStatus(appId, 'frozen');
    expect(await ask(appId)).toMatchObject({ status: 409, body: { code: 'ACCOUNT_FROZEN' } });
    expect(await record(appId)).toMatchObject({ status: 'authorized', attention: 'account_frozen' });
    expect(await ask(appId)).toMatchObject({ status: 409, body: { code: 'ACCOUNT_FROZEN' } });
    expect(refreshes(appId).calls).toBe(1);
    t.sandbox.world.setStatus(appId, 'normal');
    await endIn(appId, -1);
    expect(await ask(appId)).toMatchObject({ status: 200 });
    await eventually(async () => expect(await record(appId)).toMatchObject({ attention: null }));
  });

  it('requires nobody to act on a frozen account that has withdrawn', async () => {
    const { appId } = await authorized();
    await t.sandbox.world.revoke(appId);
    await eventually(async () => expect(await record(appId)).toMatchObject({ status: 'unauthorized' }));
    t.sandbox.world.setFault({ kind: 'errcode', errcode: 50002, path: 'api_get_authorizer_info' });
    await t.app.get(AuthorizerSync).readNow(appId);
    expect(await record(appId)).toMatchObject({ status: 'unauthorized', attention: null });
    expect(await events(appId, 'authorizer.attention_required')).toEqual([]);
  });

  it.each([40125, 61004, 61005, 61006])('tells the operator what to mend when WeChat answers %i', async (errcode) => {
    const appId = await withEndedToken();
    t.sandbox.world.setFault({ kind: 'errcode', errcode, path: 'api_authorizer_token' });
    expect(await ask(appId)).toMatchObject({ status: 503, body: { code: 'WECHAT_UNAVAILABLE' } });
    const { reasons } = (await t.get<{ reasons: { code: string; message: string }[] }>('/admin/wechat/platform')).body;
    expect(reasons).toContainEqual(expect.objectContaining({ code: `wechat_${errcode}` }));
    t.sandbox.world.clearFaults();
    await endIn(appId, -1);
    expect(await ask(appId)).toMatchObject({ status: 200 });
    const healed = (await t.get<{ reasons: { code: string }[] }>('/admin/wechat/platform')).body;
    expect(healed.reasons.map(({ code }) => code)).not.toContain(`wechat_${errcode}`);
  });
});
