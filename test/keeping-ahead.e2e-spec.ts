import { AuthorizerTokenService } from '@app/authorizer';
import { PlatformCredentialService } from '@app/wechat';
import { TokenKeeper } from '../libs/authorizer/src/tokens/token-keeper.js';
import { eventually } from './support/eventually.js';
import { KEYS, TestPlatform } from './support/platform.js';

describe('keeping ahead', () => {
  let t: TestPlatform;
  beforeEach(async () => {
    t = await TestPlatform.start();
    await eventually(async () => expect(await t.query('select 1 from platform_credential')).toHaveLength(1));
  });
  afterEach(async () => {
    await t.stop();
  });

  const componentCalls = () => t.sandbox.world.counters.of('api_component_token').calls;
  const endComponentTokenIn = (minutes: number) =>
    t.query(
      `update platform_credential set access_token_expires_at = now() + make_interval(mins => $1),
         access_token_issued_at = now() - interval '2 hours'`,
      [minutes],
    );
  const authorized = async () => {
    const account = t.sandbox.world.addAccount({ kind: 'mini_program' });
    await t.sandbox.world.authorize(account.appId);
    await eventually(async () => {
      const { body } = await t.get<{ status: string }>(`/admin/wechat/authorizers/${account.appId}`);
      expect(body.status).toBe('authorized');
    });
    return account;
  };
  const endTokenIn = (appId: string, minutes: number) =>
    t.query(
      `update authorizer_credential set access_token_expires_at = now() + make_interval(mins => $2),
         access_token_issued_at = now() - interval '2 hours' where app_id = $1`,
      [appId, minutes],
    );

  it('renews the component token of an idle platform before it ends, once for all who look', async () => {
    const platform = t.app.get(PlatformCredentialService);
    await platform.renewAhead();
    expect(componentCalls()).toBe(1);
    await endComponentTokenIn(16);
    await platform.renewAhead();
    expect(componentCalls()).toBe(1);
    await endComponentTokenIn(14);
    await Promise.all([platform.renewAhead(), platform.renewAhead()]);
    expect(componentCalls()).toBe(2);
  });

  it('does not ask WeChat for a component token without a ticket', async () => {
    await t.query('delete from platform_credential');
    await t.app.get(PlatformCredentialService).renewAhead();
    expect(componentCalls()).toBe(0);
  });

  it('renews the tokens of the accounts that are asked for, and leaves idle ones alone', async () => {
    const [active, idle] = [await authorized(), await authorized()];
    for (const { appId } of [active, idle]) await endTokenIn(appId, 10);
    await t.app.get(AuthorizerTokenService).getAccessToken(active.appId);
    const refreshes = (appId: string) => t.sandbox.world.counters.ofAuthorizerToken(appId).calls;
    const keeper = t.app.get(TokenKeeper);
    await keeper.keep();
    await keeper.keep();
    expect([refreshes(active.appId), refreshes(idle.appId)]).toEqual([1, 0]);
    const { body } = await t.post<{ expiresAt: string }>(
      `/internal/wechat/authorizers/${active.appId}/access-token`,
      undefined,
      KEYS.service,
    );
    expect(Date.parse(body.expiresAt)).toBeGreaterThan(Date.now() + 7_000_000);
  });

  it('keeps nobody waiting who is content with the token there is', async () => {
    const { appId } = await authorized();
    const tokens = t.app.get(AuthorizerTokenService);
    await endTokenIn(appId, 10);
    const { accessToken } = await tokens.getAccessToken(appId);
    t.sandbox.world.setFault({ kind: 'hang', ms: 2_000, path: 'api_authorizer_token', times: 1 });
    let isKept = false;
    tokens.forget(appId);
    const kept = t.app
      .get(TokenKeeper)
      .keep()
      .then(() => (isKept = true));
    await eventually(() => expect(t.sandbox.world.counters.of('api_authorizer_token').faults).toBeGreaterThan(0));
    expect((await tokens.getAccessToken(appId)).accessToken).toBe(accessToken);
    expect(isKept).toBe(false);
    await kept;
  });

  it('reads the profiles of active accounts again once a day', async () => {
    const account = await authorized();
    account.nickName = '新的一天';
    await t.query(`update authorizer set profile_synced_at = now() - interval '25 hours'`);
    await endTokenIn(account.appId, 10);
    await t.app.get(AuthorizerTokenService).getAccessToken(account.appId);
    await t.app.get(TokenKeeper).keep();
    const { body } = await t.get<{ nickName: string }>(`/admin/wechat/authorizers/${account.appId}`);
    expect(body.nickName).toBe('新的一天');
  });
});
