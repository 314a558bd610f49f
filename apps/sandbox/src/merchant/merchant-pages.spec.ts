import { eventually } from '../../test/eventually.js';
import { elementsOf, type Receiver, startReceiver } from '../../test/receiver.js';
import { createSandbox, type Sandbox } from '../create-sandbox.js';

const PC = '/cgi-bin/componentloginpage';
const H5 = '/wxaopen/safe/bindcomponent';
const HOME = 'https://platform.example/done?uid=28&stateId=a%20b';
const REFERER = { referer: 'https://platform.example/authorize' };

describe('the merchant’s authorization pages', () => {
  let receiver: Receiver;
  let sandbox: Sandbox;
  let now: number;

  beforeEach(async () => {
    now = Date.now();
    receiver = await startReceiver();
    sandbox = await createSandbox({ ticketEverySeconds: 0, pushUrl: receiver.url, now: () => now });
  });
  afterEach(async () => {
    await sandbox.close();
    await receiver.close();
  });

  const link = (path: string, changes: Record<string, string> = {}): string => {
    const query = new URLSearchParams({
      component_appid: sandbox.world.credentials.componentAppId,
      pre_auth_code: sandbox.world.platform.issuePreAuthCode(),
      redirect_uri: HOME,
      ...changes,
    });
    return `${sandbox.url}${path}?${query.toString()}`;
  };
  const open = async (url: string, headers: Record<string, string> = REFERER): Promise<string> =>
    (await fetch(url, { headers })).text();
  const confirm = (url: string, form: [string, string][]): Promise<Response> =>
    fetch(url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
  const named = (nickName: string): string =>
    sandbox.world.accounts.first(50).find((account) => account.nickName === nickName)?.appId ?? '';

  it.each([
    ['3 when absent', {}, ['城南旧书店', '云栖花店', '鲜果到家'], ['老陈爱做饭', '阿珍好物推荐']],
    ['1', { auth_type: '1' }, ['城南旧书店', '云栖花店'], ['鲜果到家', '老陈爱做饭']],
    ['2', { auth_type: '2' }, ['鲜果到家', '小城巴士'], ['云栖花店', '山货优选小店']],
    ['5', { auth_type: '5' }, ['老陈爱做饭'], ['鲜果到家']],
    ['6', { auth_type: '6' }, ['云栖花店', '鲜果到家', '老陈爱做饭', '山货优选小店'], ['阿珍好物推荐']],
    ['8', { auth_type: '8' }, ['阿珍好物推荐'], ['鲜果到家']],
  ] as const)('show the accounts of auth_type %s', async (_type, changes, shown, hidden) => {
    const page = await open(link(PC, changes));
    for (const name of shown) expect(page).toContain(name);
    for (const name of hidden) expect(page).not.toContain(name);
  });

  it('show one account only where biz_appid names it, whatever auth_type says', async () => {
    const page = await open(link(H5, { auth_type: '1', biz_appid: named('鲜果到家') }));
    expect(page).toContain('鲜果到家');
    expect(page).not.toContain('云栖花店');
    expect(await open(link(H5, { biz_appid: 'wx0000000000000000' }))).toContain('仅支持指定账号「wx0000000000000000」');
  });

  it('do not show accounts that cannot authorize', async () => {
    sandbox.world.setStatus(named('鲜果到家'), 'frozen');
    expect(await open(link(PC))).not.toContain('鲜果到家');
    expect(await open(link(PC, { auth_type: '4' }))).toContain('第三方平台指定了无效的权限');
  });

  it('offer the permission sets of category_id_list', async () => {
    const page = await open(link(H5, { biz_appid: named('云栖花店'), category_id_list: '1|15' }));
    expect(page.match(/name="func_id" value="\d+"/g)).toEqual([
      'name="func_id" value="1"',
      'name="func_id" value="15"',
    ]);
  });

  it('refuse a pre-auth code that is unknown, expired or another platform’s', async () => {
    expect(await open(link(PC, { pre_auth_code: 'made-up' }))).toContain('PreAuthCode无效');
    expect(await open(link(PC, { component_appid: 'wx0000000000000000' }))).toContain('PreAuthCode无效');
    const url = link(PC);
    now += 1_800_000;
    expect(await open(url)).toContain('PreAuthCode无效');
  });

  it('take a pre-auth code without its prefix', async () => {
    const preAuthCode = sandbox.world.platform.issuePreAuthCode().replace('preauthcode@@@', '');
    expect(await open(link(PC, { pre_auth_code: preAuthCode }))).toContain('云栖花店');
  });

  it('want a redirect_uri that is one', async () => {
    expect(await open(link(PC, { redirect_uri: 'javascript:alert(1)' }))).toContain('redirect_uri');
  });

  it('are entered on a PC from the host they return to; the phone’s may be opened directly', async () => {
    expect(await open(link(PC), {})).toContain('授权入口页所在域名：空');
    expect(await open(link(PC), { referer: 'https://www.platform.example/' })).toContain('：www.platform.example；');
    expect(await open(link(H5), {})).toContain('云栖花店');
  });

  it('return to redirect_uri with the code, push it too, and spend the pre-auth code', async () => {
    const preAuthCode = sandbox.world.platform.issuePreAuthCode();
    const appId = named('云栖花店');
    const url = link(PC, { pre_auth_code: preAuthCode });
    const response = await confirm(url, [
      ['app_id', appId],
      ['func_id', '1'],
      ['func_id', '2'],
      ['func_id', '999'],
    ]);
    expect(response.status).toBe(302);
    const home = new URL(response.headers.get('location') ?? '');
    const push = await nextPush();
    expect(Object.fromEntries(home.searchParams)).toEqual({
      uid: '28',
      stateId: 'a b',
      auth_code: push.AuthorizationCode,
      expires_in: '3600',
    });
    expect(push).toMatchObject({ InfoType: 'authorized', AuthorizerAppid: appId, PreAuthCode: preAuthCode });
    expect(sandbox.world.accounts.get(appId).grant?.funcIds).toEqual([1, 2]);
    expect(await open(url)).toContain('PreAuthCode无效');
    expect((await confirm(url, [['app_id', appId]])).headers.get('location')).toBeNull();
  });

  it('return with a code, but push nothing, when the sets stay as they were', async () => {
    const appId = named('云栖花店');
    await sandbox.world.authorize(appId, { funcIds: [1] });
    const response = await confirm(link(PC), [
      ['app_id', appId],
      ['func_id', '1'],
    ]);
    expect(response.headers.get('location')).toContain('auth_code=queryauthcode');
    expect(receiver.pushes).toHaveLength(1);
    await confirm(link(PC), [
      ['app_id', appId],
      ['func_id', '2'],
    ]);
    expect(await nextPush(1)).toMatchObject({ InfoType: 'updateauthorized' });
  });

  it('carry another code home than the push where told to, and both can be exchanged', async () => {
    sandbox.world.redirectsWithAnotherCode = true;
    const response = await confirm(link(PC), [
      ['app_id', named('云栖花店')],
      ['func_id', '1'],
    ]);
    const code = new URL(response.headers.get('location') ?? '').searchParams.get('auth_code');
    const { AuthorizationCode } = await nextPush();
    expect(code).not.toBe(AuthorizationCode);
    expect(sandbox.world.authorizations.exchange(code).appId).toBe(named('云栖花店'));
    expect(sandbox.world.authorizations.exchange(AuthorizationCode).appId).toBe(named('云栖花店'));
  });

  it('do not authorize an account the link does not offer', async () => {
    const page = await (await confirm(link(PC, { auth_type: '1' }), [['app_id', named('鲜果到家')]])).text();
    expect(page).toContain('该账号不能授权');
    expect(sandbox.world.accounts.authorized()).toHaveLength(0);
  });

  it('escape what merchants call themselves, and allow no script', async () => {
    sandbox.world.addAccount({ kind: 'mini_program', nickName: '<script>"1"</script>' });
    const response = await fetch(link(H5));
    expect(await response.text()).not.toContain('<script>');
    expect(response.headers.get('content-security-policy')).toContain("form-action 'self' https://platform.example;");
  });

  /** The push leaves while the browser is on its way. */
  async function nextPush(index = 0): Promise<Record<string, string>> {
    return elementsOf(await eventually('the push', () => receiver.pushes[index]));
  }
});
