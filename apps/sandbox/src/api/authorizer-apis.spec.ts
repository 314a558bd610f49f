import { type Answer, TestPlatform } from '../../test/platform.js';
import { createSandbox, type Sandbox } from '../create-sandbox.js';
import { type Account } from '../state/account.js';

const HOUR = 3_600_000;

interface AuthorizationInfo extends Answer {
  authorizer_access_token: string;
  authorizer_refresh_token: string;
}

describe('the APIs about authorizers', () => {
  let sandbox: Sandbox;
  let platform: TestPlatform;
  let account: Account;
  let now: number;

  beforeEach(async () => {
    now = Date.now();
    sandbox = await createSandbox({ ticketEverySeconds: 0, seedAccounts: false, now: () => now });
    platform = new TestPlatform(sandbox);
    account = sandbox.world.addAccount({ kind: 'service_account', nickName: '云栖花店' });
  });
  afterEach(() => sandbox.close());

  const exchange = (code: unknown): Promise<Answer> => platform.call('api_query_auth', { authorization_code: code });
  const exchanged = async (code: string): Promise<AuthorizationInfo> =>
    (await exchange(code)).authorization_info as AuthorizationInfo;
  const refresh = (token: unknown, appId = account.appId): Promise<Answer> =>
    platform.call('api_authorizer_token', { authorizer_appid: appId, authorizer_refresh_token: token });
  const info = (appId = account.appId): Promise<Answer> =>
    platform.call('api_get_authorizer_info', { authorizer_appid: appId });
  const list = (offset: unknown, count: unknown): Promise<Answer> =>
    platform.call('api_get_authorizer_list', { offset, count });
  const authorize = (funcIds?: number[]): Promise<{ code: string }> =>
    sandbox.world.authorize(account.appId, funcIds && { funcIds });

  it('exchanges a code for tokens and the sets that were granted, without an errcode', async () => {
    const { code } = await authorize([1, 3]);
    expect(await exchange(code)).toEqual({
      authorization_info: {
        authorizer_appid: account.appId,
        authorizer_access_token: expect.any(String) as string,
        expires_in: 7200,
        authorizer_refresh_token: expect.stringMatching(/^refreshtoken@@@.{43}$/) as string,
        func_info: [
          { funcscope_category: { id: 1 } },
          { funcscope_category: { id: 3 }, confirm_info: { need_confirm: 0, already_confirm: 0, can_confirm: 0 } },
        ],
      },
    });
  });

  it('exchanges a code once, and counts every attempt', async () => {
    const { code } = await authorize();
    expect(await exchange(code)).toHaveProperty('authorization_info');
    expect(await exchange(code)).toMatchObject({ errcode: 61009 });
    expect(sandbox.world.counters.ofCode(code)).toEqual({ calls: 2, successes: 1 });
  });

  it('exchanges a code within an hour', async () => {
    const early = await authorize([1]);
    now += HOUR - 1000;
    expect(await exchange(early.code)).toHaveProperty('authorization_info');
    const late = await authorize([1, 2]);
    now += HOUR;
    expect(await exchange(late.code)).toMatchObject({ errcode: 61010 });
  });

  it.each([['queryauthcode@@@made-up'], [undefined], [7]])('answers 61009 to %p for a code', async (code) => {
    expect(await exchange(code)).toMatchObject({ errcode: 61009 });
  });

  it('answers 61003 to the code of an authorization that was revoked, and 61009 once there is another', async () => {
    const { code } = await authorize();
    await sandbox.world.revoke(account.appId);
    expect(await exchange(code)).toMatchObject({ errcode: 61003 });
    await authorize();
    expect(await exchange(code)).toMatchObject({ errcode: 61009 });
  });

  it('gives no tokens to an account without API ability', async () => {
    const plain = sandbox.world.addAccount({ kind: 'talent', hasApiAbility: false });
    const { code } = await sandbox.world.authorize(plain.appId);
    const answer = await exchanged(code);
    expect(Object.keys(answer)).toEqual(['authorizer_appid', 'func_info']);
  });

  it('refreshes with the same refresh token every time', async () => {
    const tokens = await exchanged((await authorize()).code);
    const first = await refresh(tokens.authorizer_refresh_token);
    const second = await refresh(tokens.authorizer_refresh_token);
    expect(first).toMatchObject({ expires_in: 7200, authorizer_refresh_token: tokens.authorizer_refresh_token });
    expect(second.authorizer_access_token).not.toBe(first.authorizer_access_token);
    expect(sandbox.world.counters.ofAuthorizerToken(account.appId)).toEqual({ calls: 2, successes: 2 });
  });

  it('gives a new refresh token at every refresh where told to', async () => {
    sandbox.world.authorizations.rotateOnRefresh = true;
    const { authorizer_refresh_token: first } = await exchanged((await authorize()).code);
    const second = (await refresh(first)).authorizer_refresh_token;
    expect(second).not.toBe(first);
    now += 300_000;
    expect(await refresh(first)).toMatchObject({ errcode: 61023 });
    expect(await refresh(second)).toHaveProperty('authorizer_access_token');
  });

  it('replaces the refresh token when the granted sets change; the old one works five minutes more', async () => {
    const { authorizer_refresh_token: old } = await exchanged((await authorize([1])).code);
    const { authorizer_refresh_token: current } = await exchanged((await authorize([1, 2])).code);
    expect(current).not.toBe(old);
    expect(await refresh(old)).toMatchObject({ authorizer_refresh_token: current });
    now += 300_000;
    expect(await refresh(old)).toMatchObject({ errcode: 61023 });
    expect(await refresh(current)).toHaveProperty('authorizer_access_token');
  });

  it('refuses the refresh token of an authorization that was revoked, before and after another one', async () => {
    const { authorizer_refresh_token: old } = await exchanged((await authorize()).code);
    await sandbox.world.revoke(account.appId);
    expect(await refresh(old)).toMatchObject({ errcode: 61003 });
    await authorize();
    expect(await refresh(old)).toMatchObject({ errcode: 61023 });
  });

  it('refuses a refresh token that is null, of another or absent', async () => {
    await exchanged((await authorize()).code);
    expect(await refresh(null)).toMatchObject({ errcode: 61023 });
    expect(await refresh('refreshtoken@@@other')).toMatchObject({ errcode: 61023 });
    expect(await refresh(undefined)).toMatchObject({ errcode: 41003 });
    expect(await refresh('x', 'wx0000000000000000')).toMatchObject({ errcode: 61003 });
  });

  it.each(['frozen', 'banned', 'cancelled'] as const)('answers 50002 for a %s account', async (status) => {
    const { authorizer_refresh_token: token } = await exchanged((await authorize([1])).code);
    const { code } = await authorize([1, 2]);
    sandbox.world.setStatus(account.appId, status);
    expect(await refresh(token)).toMatchObject({ errcode: 50002 });
    expect(await exchange(code)).toMatchObject({ errcode: 50002 });
    sandbox.world.setStatus(account.appId, 'normal');
    expect(await exchange(code)).toHaveProperty('authorization_info');
  });

  it('describes an authorizer, with its refresh token once a code was exchanged, and never an access token', async () => {
    const { code } = await authorize([1]);
    const before = await info();
    expect(before).toMatchObject({
      authorizer_info: { nick_name: '云栖花店', service_type_info: { id: 2 }, account_status: 1 },
      authorization_info: { authorizer_appid: account.appId, func_info: [{ funcscope_category: { id: 1 } }] },
    });
    expect(before.authorization_info).not.toHaveProperty('authorizer_refresh_token');
    const { authorizer_refresh_token } = await exchanged(code);
    const after = await info();
    expect(after.authorization_info).toMatchObject({ authorizer_refresh_token });
    expect(JSON.stringify(after)).not.toContain('access_token');
  });

  it.each([
    ['mini_program', 'MiniProgramInfo'],
    ['channels', 'channels_info'],
    ['store', 'store_info'],
    ['talent', 'talent_info'],
  ] as const)('tells a %s by its %s', async (kind, element) => {
    const other = sandbox.world.addAccount({ kind });
    await sandbox.world.authorize(other.appId);
    expect((await info(other.appId)).authorizer_info).toHaveProperty(element);
    await authorize();
    expect((await info()).authorizer_info).not.toHaveProperty(element);
  });

  it('tells the state of an account', async () => {
    await authorize();
    sandbox.world.setStatus(account.appId, 'frozen');
    expect(await info()).toMatchObject({ authorizer_info: { account_status: 19 } });
  });

  it('describes nobody who has not authorized', async () => {
    expect(await info()).toMatchObject({ errcode: 61003 });
    expect(await info('nonsense')).toMatchObject({ errcode: 40013 });
    expect(await platform.call('api_get_authorizer_info')).toMatchObject({ errcode: 41002 });
  });

  it('lists authorizers, without a refresh token where no code was exchanged', async () => {
    const { code } = await authorize();
    const auth_time = Math.floor(now / 1000);
    const plain = { authorizer_appid: account.appId, auth_time };
    expect(await list(0, 10)).toEqual({ total_count: 1, list: [plain] });
    const { authorizer_refresh_token: refresh_token } = await exchanged(code);
    expect(await list(0, 10)).toEqual({ total_count: 1, list: [{ ...plain, refresh_token }] });
    await sandbox.world.revoke(account.appId);
    expect(await list(0, 10)).toEqual({ total_count: 0, list: [] });
  });

  it('lists twenty thousand authorizers in pages of 500, each of them once', async () => {
    sandbox.world.addAuthorizers(20_000);
    const seen = new Set<string>();
    for (let offset = 0; offset < 20_000; offset += 500) {
      const page = (await list(offset, 500)) as { total_count: number; list: { authorizer_appid: string }[] };
      expect(page.total_count).toBe(20_000);
      for (const { authorizer_appid } of page.list) seen.add(authorizer_appid);
    }
    expect(seen.size).toBe(20_000);
  });

  it.each([
    [0, 501, 40170],
    [-1, 10, 40097],
    ['0', 10, 40097],
    [0, undefined, 40097],
  ])('refuses to list from %p as many as %p with %i', async (offset, count, errcode) => {
    expect(await list(offset, count)).toMatchObject({ errcode });
  });

  it('lets a stored refresh token go bad silently, and tells the new one in the list', async () => {
    const { authorizer_refresh_token: stored } = await exchanged((await authorize()).code);
    sandbox.world.replaceRefreshToken(account.appId);
    expect(await refresh(stored)).toMatchObject({ errcode: 61023 });
    const { list: entries } = (await list(0, 1)) as { list: { refresh_token: string }[] };
    expect(await refresh(entries[0]?.refresh_token)).toHaveProperty('authorizer_access_token');
  });
});
