import { eventually } from './support/eventually.js';
import { type HeldAnswers, startHeldAnswers } from './support/held-answers.js';
import { Merchant, preAuthCodeOf } from './support/merchant.js';
import { KEYS, TestPlatform } from './support/platform.js';

/** What is found out late, told again, or true of one thing and not of another, leaves the record of an account as it should be. */
interface Record {
  status: string;
  attention: string | null;
  tenantId: string | null;
  credential: { status: string };
  permissions: { id: number }[];
}

let t: TestPlatform;
let wire: HeldAnswers;
let merchant: Merchant;

jest.setTimeout(90_000);
beforeAll(async () => {
  wire = await startHeldAnswers(() => t.sandbox.url);
  t = await TestPlatform.start({
    variables: { WECHAT_API_BASE_URL: wire.url, RECONCILE_CALLS_PER_MINUTE: '60000', RECONCILE_INTERVAL_HOURS: '0' },
  });
  merchant = new Merchant(t);
});
afterAll(async () => {
  await t.stop();
  await wire.close();
});
afterEach(() => t.sandbox.world.clearFaults());

const world = () => t.sandbox.world;
const seconds = () => Math.floor(Date.now() / 1000);
const record = async (appId: string) => (await t.get<Record>(`/admin/wechat/authorizers/${appId}`)).body;
const becomes = (appId: string, expected: object) =>
  eventually(async () => expect(await record(appId)).toMatchObject(expected), 30_000);
const sync = (appId: string) => t.post<Record>(`/admin/wechat/authorizers/${appId}/sync`);

async function authorized(): Promise<string> {
  const { appId } = world().addAccount({ kind: 'mini_program' });
  await world().authorize(appId, { funcIds: [17] });
  await becomes(appId, { status: 'authorized' });
  await t.everythingDelivered();
  return appId;
}

/** Long ago, so that what is found out by asking may say otherwise. */
const age = (appId: string) =>
  t.query(
    `update authorizer set event_time = event_time - interval '1 hour', authorized_at = authorized_at - interval '1 hour'
     where app_id = $1`,
    [appId],
  );

/** As after a reconciliation that found no refresh token that works. */
async function loseForGood(appId: string): Promise<void> {
  await t.query(
    `update authorizer_credential set invalid = true, access_token = null, access_token_expires_at = null where app_id = $1`,
    [appId],
  );
  await t.query(`update authorizer set attention = 'reauthorization_required' where app_id = $1`, [appId]);
}

describe('an account whose profile was read before an update of it', () => {
  it('keeps what the update granted, when the reading comes to its end after it', async () => {
    const appId = await authorized();
    const held = wire.hold('api_get_authorizer_info');
    const reading = sync(appId);
    await held.given;
    await world().updateAuthorization(appId, [17, 18]);
    await eventually(async () => expect((await record(appId)).permissions).toHaveLength(2));
    await t.everythingDelivered();
    held.release();
    await reading;
    expect((await record(appId)).permissions.map(({ id }) => id)).toEqual([17, 18]);
    const withdrawn = await t.query(
      `select from event where authorizer_app_id = $1 and type = 'authorizer.updated'
         and data -> 'changes' -> 'permissionsWithdrawn' <> '[]'`,
      [appId],
    );
    expect(withdrawn).toEqual([]);
  });
});

describe('an account that needs its merchant', () => {
  it('still does when it was frozen meanwhile and is free again', async () => {
    const appId = await authorized();
    await age(appId);
    await loseForGood(appId);
    const withoutToken = (status: number) =>
      wire.falsify('api_get_authorizer_info', ({ authorizer_info, authorization_info }) => {
        const { authorizer_refresh_token: _, ...rest } = authorization_info as { authorizer_refresh_token: string };
        return {
          authorizer_info: { ...(authorizer_info as object), account_status: status },
          authorization_info: rest,
        };
      });
    withoutToken(19);
    await sync(appId);
    expect(await record(appId)).toMatchObject({ attention: 'account_frozen' });
    withoutToken(1);
    await sync(appId);
    expect(await record(appId)).toMatchObject({
      credential: { status: 'invalid' },
      attention: 'reauthorization_required',
    });
    const asked = await t.post(`/internal/wechat/authorizers/${appId}/access-token`, undefined, KEYS.service);
    expect(asked).toMatchObject({ status: 409, body: { code: 'REAUTHORIZATION_REQUIRED' } });
  });

  it('does no more when its credential turns out to work', async () => {
    const appId = await authorized();
    await t.query(`update authorizer set attention = 'reauthorization_required' where app_id = $1`, [appId]);
    await sync(appId);
    expect(await record(appId)).toMatchObject({ credential: { status: 'valid' }, attention: null });
  });

  it('is shown as one also when an update of it came to its end just after the loss', async () => {
    const appId = await authorized();
    world().setFault({ kind: 'errcode', errcode: 61009, path: 'api_query_auth', times: 1 });
    const held = wire.hold('api_authorizer_token');
    await world().updateAuthorization(appId, [17, 18]);
    await held.given;
    await t.query(`update authorizer_credential set version = nextval('credential_version') where app_id = $1`, [
      appId,
    ]);
    await loseForGood(appId);
    held.release();
    await t.everythingDelivered();
    expect(await record(appId)).toMatchObject({
      credential: { status: 'invalid' },
      attention: 'reauthorization_required',
      permissions: [{ id: 17 }, { id: 18 }],
    });
  });

  it('is found to have withdrawn by whoever syncs it', async () => {
    const appId = await authorized();
    await age(appId);
    await loseForGood(appId);
    await world().revoke(appId, { push: false });
    expect(await sync(appId)).toMatchObject({ status: 200, body: { status: 'unauthorized' } });
  });
});

describe('a revocation that is told again', () => {
  it('leaves the authorization alone that came after it, by a browser only', async () => {
    const appId = await authorized();
    await world().revoke(appId);
    await becomes(appId, { status: 'unauthorized', unauthorizedAt: expect.any(String) as string });
    await t.everythingDelivered();
    await age(appId);
    const link = await merchant.createLink({ tenantId: 't-back' });
    const preAuthCode = preAuthCodeOf(link);
    const { redirectCode } = await world().authorize(appId, { funcIds: [17], push: false, preAuthCode });
    await merchant.comeHome(link, redirectCode);
    await becomes(appId, { status: 'authorized', unauthorizedAt: null });
    const { items } = (await t.get<{ items: { id: string }[] }>(`/admin/wechat/events?infoType=unauthorized`)).body;
    expect((await t.post(`/admin/wechat/events/${items[0]!.id}/replay`)).status).toBe(202);
    await t.everythingDelivered();
    expect(await record(appId)).toMatchObject({ status: 'authorized', credential: { status: 'valid' } });
  });
});

describe('an authorization through a link', () => {
  it('binds the account also where an update of its permissions was quicker', async () => {
    const link = await merchant.createLink({ tenantId: 't-link' });
    const { appId } = world().addAccount({ kind: 'mini_program' });
    const [preAuthCode, createTime] = [preAuthCodeOf(link), seconds() - 2];
    const { code } = await world().authorize(appId, { funcIds: [17], push: false, preAuthCode });
    await world().updateAuthorization(appId, [17, 18], { createTime: createTime + 1 });
    await becomes(appId, { status: 'authorized', tenantId: null });
    await t.everythingDelivered();
    const fields = { AuthorizerAppid: appId, AuthorizationCode: code, PreAuthCode: preAuthCode };
    const AuthorizationCodeExpiredTime = createTime + 3600;
    await world().pushEvent('authorized', { ...fields, AuthorizationCodeExpiredTime }, { createTime });
    await becomes(appId, { tenantId: 't-link' });
  });
});

describe('a code whose answer was lost, of an account that withdrew before it could be sent again', () => {
  it('comes to an end, and holds no later authorization up', async () => {
    const { appId } = world().addAccount({ kind: 'mini_program' });
    world().setFault({ kind: 'reset-before', path: 'api_query_auth', times: 1 });
    await world().authorize(appId, { funcIds: [17] });
    await eventually(async () =>
      expect(await t.query(`select 1 from code_exchange where state = 'unknown'`)).toHaveLength(1),
    );
    await world().revoke(appId, { push: false });
    await t.query(`update code_exchange set sent_at = sent_at - interval '1 minute' where state = 'unknown'`);
    await t.everythingDelivered();
    await world().authorize(appId, { funcIds: [17, 18] });
    await becomes(appId, { status: 'authorized' });
  });
});
