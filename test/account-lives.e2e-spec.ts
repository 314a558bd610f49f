import fc from 'fast-check';
import { type Fault } from '../apps/sandbox/src/api/fault-plan.js';
import { eventually } from './support/eventually.js';
import { Merchant, preAuthCodeOf } from './support/merchant.js';
import { KEYS, TestPlatform } from './support/platform.js';

/** ACCOUNT_LIVES=50 npx jest test/account-lives.e2e tries more of them; ACCOUNT_SEED repeats a run. */
const LIVES = Number(process.env.ACCOUNT_LIVES ?? 2);
const SEED = process.env.ACCOUNT_SEED ? { seed: Number(process.env.ACCOUNT_SEED) } : {};
const ACCOUNTS = 8;

interface Record {
  status: string;
  attention: string | null;
  credential: { status: string };
  permissions: { id: number }[];
}

let t: TestPlatform;
let merchant: Merchant;
beforeAll(async () => {
  t = await TestPlatform.start({
    variables: { RECONCILE_CALLS_PER_MINUTE: '60000', RECONCILE_INTERVAL_HOURS: '0' },
  });
  merchant = new Merchant(t);
});
afterAll(() => t.stop());

const world = () => t.sandbox.world;
const grantOf = (appId: string) => world().accounts.get(appId).grant;
const record = async (appId: string) => (await t.get<Record>(`/admin/wechat/authorizers/${appId}`)).body;

const FAULTS: readonly Fault[] = [
  { kind: 'errcode', errcode: -1, times: 2 },
  { kind: 'reset-after', path: 'api_query_auth', times: 1 },
  { kind: 'reset-before', times: 2 },
  { kind: 'hang', ms: 900, path: 'api_get_authorizer_info', times: 2 },
  { kind: 'garbage', times: 1 },
  { kind: 'http', status: 502, times: 1 },
];

/** What happens to an account. What is answered later goes to `answers`. */
const happen = {
  authorize: async (appId: string, funcIds: readonly number[]) => {
    await world().authorize(appId, { funcIds });
  },
  'authorize by a link': async (appId: string, funcIds: readonly number[]) => {
    const preAuthCode = preAuthCodeOf(await merchant.createLink({ tenantId: 't-life' }));
    await world().authorize(appId, { funcIds, preAuthCode });
  },
  'come home by browser only': async (appId: string, funcIds: readonly number[], answers: Promise<unknown>[]) => {
    const link = await merchant.createLink({ tenantId: 't-life' });
    const { redirectCode } = await world().authorize(appId, { funcIds, push: false });
    answers.push(merchant.comeHome(link, redirectCode));
  },
  'authorize, and the push is lost': async (appId: string, funcIds: readonly number[]) => {
    await world().authorize(appId, { funcIds, push: false });
  },
  update: async (appId: string, funcIds: readonly number[]) => {
    if (grantOf(appId)) await world().updateAuthorization(appId, funcIds);
  },
  revoke: async (appId: string) => {
    if (grantOf(appId)) await world().revoke(appId);
  },
  'revoke, and the push is lost': async (appId: string) => {
    if (grantOf(appId)) await world().revoke(appId, { push: false });
  },
  freeze: (appId: string) => world().setStatus(appId, 'frozen'),
  thaw: (appId: string) => world().setStatus(appId, 'normal'),
  'get another refresh token': (appId: string) => {
    if (grantOf(appId)) world().replaceRefreshToken(appId);
  },
  'have its token asked for': (appId: string, _: readonly number[], answers: Promise<unknown>[]) => {
    answers.push(t.post(`/internal/wechat/authorizers/${appId}/access-token`, undefined, KEYS.service));
  },
  'have its token end': async (appId: string) => {
    await t.query(`update authorizer_credential set access_token_expires_at = now() where app_id = $1`, [appId]);
  },
  'be read again': (appId: string, _: readonly number[], answers: Promise<unknown>[]) => {
    answers.push(t.post(`/admin/wechat/authorizers/${appId}/sync`));
  },
  'be reconciled with all others': (_: string, __: readonly number[], answers: Promise<unknown>[]) => {
    answers.push(t.post('/admin/wechat/authorizers/sync'));
  },
  'have the last push come again': async () => {
    await world().repeat();
  },
};

const step = fc.record({
  what: fc.constantFrom(...(Object.keys(happen) as (keyof typeof happen)[])),
  /** On the way to WeChat from here on. */
  fault: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constantFrom<(Fault | null)[]>(...FAULTS) },
  ),
  account: fc.nat(ACCOUNTS - 1),
  funcIds: fc.constantFrom([17], [17, 18], [18, 19], [17, 18, 19, 25]),
  pauseMs: fc.constantFrom(0, 0, 0, 30, 100),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function live(accounts: readonly string[], steps: readonly Step[]): Promise<void> {
  const answers: Promise<unknown>[] = [];
  for (const { what, fault, account, funcIds, pauseMs } of steps) {
    if (fault) world().setFault(fault);
    await happen[what](accounts[account]!, funcIds, answers);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  await Promise.all(answers);
  world().clearFaults();
  for (const appId of accounts) world().setStatus(appId, 'normal');
}

/** Everything that waits comes to its end, without the hours that it might wait. */
async function settle(): Promise<void> {
  await eventually(async () => {
    await t.query(
      `update code_exchange set sent_at = sent_at - interval '2 minutes' where state = 'sent' and sent_at < now() - interval '15 s'`,
    );
    await t.query(`update delivery set due_at = now() where state = 'waiting' and lease is null`);
    await t.query(`select pg_notify('delivery', name) from subscriber`);
    const open = await t.query(`select subscriber, last_error from delivery where state not in ('done', 'dead')`);
    expect(open).toEqual([]);
    await t.query('update sync_run set resume_at = null where finished_at is null');
    expect(await t.query('select reason from sync_run where finished_at is null')).toEqual([]);
  }, 120_000);
  await t.query('update authorizer_credential set retry_at = null');
}

/** An hour later, so that what the list says is no longer too young to be believed. */
async function reconcile(): Promise<void> {
  await t.query(
    `update authorizer set event_time = event_time - interval '1 hour', authorized_at = authorized_at - interval '1 hour'`,
  );
  const { runId } = (await t.post<{ runId: string }>('/admin/wechat/authorizers/sync')).body;
  await eventually(async () => {
    const { body } = await t.get<{ lastReconcile: object }>('/admin/wechat/platform');
    expect(body.lastReconcile).toMatchObject({ runId, status: 'done' });
  }, 60_000);
  await t.everythingDelivered();
}

/** How the record of an account stands, and how it should by what WeChat knows. */
async function compare(appId: string): Promise<[unknown, unknown]> {
  const grant = grantOf(appId);
  const { status, attention, credential, permissions } = await record(appId);
  if (status === undefined || String(status) === '404')
    return [
      { appId, known: false },
      { appId, known: grant !== null },
    ];
  const found = { appId, status, attention };
  if (!grant)
    return [
      { ...found, credential: credential.status },
      { appId, status: 'unauthorized', attention: null, credential: 'missing' },
    ];
  // A code that nobody brought us: only the merchant can help, and we may learn of it as late as a token is needed.
  if (!grant.exchanged) return [appId, appId];
  const asked = await t.post(`/internal/wechat/authorizers/${appId}/access-token`, undefined, KEYS.service);
  const granted = [...grant.funcIds].sort((a, b) => a - b);
  return [
    { ...found, token: asked.status, granted: permissions.map(({ id }) => id) },
    { appId, status: 'authorized', attention: null, token: 200, granted },
  ];
}

describe('accounts that lead a life of their own, with pushes and answers lost, late and repeated', () => {
  it(
    `are in the end as WeChat knows them (${LIVES} lives of ${ACCOUNTS} accounts)`,
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 140, size: 'max' }), async (steps) => {
          const accounts = Array.from({ length: ACCOUNTS }, () => world().addAccount({ kind: 'mini_program' }).appId);
          await live(accounts, steps);
          await settle();
          await reconcile();
          await reconcile();
          for (const appId of accounts) {
            await t.post(`/admin/wechat/authorizers/${appId}/sync`);
            const [found, expected] = await compare(appId);
            expect(found).toEqual(expected);
          }
          expect(await t.query(`select subscriber, last_error from delivery where state = 'dead'`)).toEqual([]);
          const miscounted = `select id from event e where open_deliveries <> 0 or dead_deliveries <> 0`;
          expect(await t.query(miscounted)).toEqual([]);
        }),
        { numRuns: LIVES, endOnFailure: true, ...SEED },
      );
    },
    60_000 + LIVES * 240_000,
  );
});
