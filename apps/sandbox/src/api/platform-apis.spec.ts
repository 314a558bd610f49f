import { TestPlatform } from '../../test/platform.js';
import { createSandbox, type Sandbox } from '../create-sandbox.js';
import { SANDBOX_CREDENTIALS } from '../options.js';

const HOUR = 3_600_000;
const { componentAppId, componentAppSecret } = SANDBOX_CREDENTIALS;

describe('the APIs a platform calls for itself', () => {
  let sandbox: Sandbox;
  let platform: TestPlatform;
  let now: number;

  beforeEach(async () => {
    now = Date.now();
    sandbox = await createSandbox({ ticketEverySeconds: 0, now: () => now });
    platform = new TestPlatform(sandbox);
  });
  afterEach(() => sandbox.close());

  it('gives a component access token for a ticket, without an errcode', async () => {
    expect(await platform.askComponentToken({})).toEqual({
      component_access_token: expect.any(String) as string,
      expires_in: 7200,
    });
  });

  it.each([
    [{ component_appid: 'wx0000000000000000' }, 40013],
    [{ component_appid: undefined }, 41018],
    [{ component_appsecret: 'wrong' }, 40125],
    [{ component_appsecret: undefined }, 41004],
    [{ component_verify_ticket: 'ticket@@@never-pushed' }, 61006],
    [{ component_verify_ticket: undefined }, 61006],
  ])('refuses a component access token for %j with %i', async (changes, errcode) => {
    expect(await platform.askComponentToken(changes)).toMatchObject({ errcode });
  });

  it('takes a ticket for twelve hours, older ones beside newer ones', async () => {
    const ticket = sandbox.world.platform.issueTicket();
    sandbox.world.platform.issueTicket();
    now += 12 * HOUR - 1000;
    expect(await platform.askComponentToken({ component_verify_ticket: ticket })).toHaveProperty(
      'component_access_token',
    );
    now += 1000;
    expect(await platform.askComponentToken({ component_verify_ticket: ticket })).toMatchObject({ errcode: 61005 });
  });

  it('takes a component access token for two hours, under both of its names', async () => {
    expect(await platform.call('api_create_preauthcode')).toHaveProperty('pre_auth_code');
    expect(await platform.call('api_create_preauthcode', {}, 'access_token')).toHaveProperty('pre_auth_code');
    now += 2 * HOUR;
    expect(await platform.call('api_create_preauthcode')).toMatchObject({ errcode: 42001 });
  });

  it('answers 40001 to a token it never gave and 41001 to none', async () => {
    platform.useToken('made-up');
    expect(await platform.call('api_create_preauthcode')).toMatchObject({ errcode: 40001 });
    expect(await platform.raw('/cgi-bin/component/api_create_preauthcode', '{}')).toMatchObject({ errcode: 41001 });
  });

  it('answers 61014 where an authorizer’s token comes instead of the component’s', async () => {
    const [account] = sandbox.world.addAuthorizers(1);
    if (account) platform.useToken(sandbox.world.authorizations.issueAccessToken(account));
    expect(await platform.call('api_create_preauthcode')).toMatchObject({ errcode: 61014 });
  });

  it('answers errors as HTTP 200 with a rid that can be looked up', async () => {
    const response = await fetch(`${sandbox.url}/cgi-bin/component/api_component_token`, {
      method: 'POST',
      body: '{}',
    });
    expect(response.status).toBe(200);
    const { errmsg } = (await response.json()) as { errmsg: string };
    const rid = /^component_appid missing rid: ([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})$/.exec(errmsg)?.[1];
    expect(await platform.call('/cgi-bin/openapi/rid/get', { rid })).toMatchObject({
      errcode: 0,
      request: { request_url: '/cgi-bin/component/api_component_token' },
    });
    expect(await platform.call('/cgi-bin/openapi/rid/get', { rid: 'other' })).toMatchObject({ errcode: 76001 });
  });

  it.each([
    ['nothing', '', 44002],
    ['no JSON', 'component_appid=wx', 47001],
    ['JSON that is no object', '[]', 47001],
  ])('answers %s in the body with %s', async (_what, body, errcode) => {
    expect(await platform.raw('/cgi-bin/component/api_component_token', body)).toMatchObject({ errcode });
  });

  it('knows which method an API wants, and which APIs there are', async () => {
    const path = '/cgi-bin/component/api_component_token';
    expect(await platform.raw(path, undefined, '', 'GET')).toMatchObject({ errcode: 43002 });
    expect(await platform.raw('/cgi-bin/getcallbackip', '{}')).toMatchObject({ errcode: 43001 });
    expect(await platform.raw('/cgi-bin/component/api_of_nobody', '{}')).toMatchObject({ errcode: 40066 });
  });

  it('starts the ticket push with the secret under its third name', async () => {
    const start = (body: object): Promise<object> =>
      platform.raw('/cgi-bin/component/api_start_push_ticket', JSON.stringify(body));
    const asked = { component_appid: componentAppId, component_secret: componentAppSecret };
    expect(await start({ ...asked, component_secret: 'wrong' })).toMatchObject({ errcode: 40125 });
    expect(sandbox.world.pushes.log.records()).toHaveLength(0);
    expect(await start(asked)).toEqual({ errcode: 0, errmsg: 'ok' });
    expect(sandbox.world.pushes.log.records()).toMatchObject([{ infoType: 'component_verify_ticket' }]);
  });

  it('lists the addresses it calls from and answers at', async () => {
    const query = `?access_token=${encodeURIComponent(await platform.componentToken())}`;
    const list = { ip_list: expect.arrayContaining(['127.0.0.1']) as string[] };
    expect(await platform.raw('/cgi-bin/getcallbackip', undefined, query, 'GET')).toEqual(list);
    expect(await platform.raw('/cgi-bin/get_api_domain_ip', undefined, query, 'GET')).toEqual(list);
  });

  it('reports a quota, clears it, and clears it ten times at most', async () => {
    const quota = (cgi_path: string): Promise<object> => platform.call('/cgi-bin/openapi/quota/get', { cgi_path });
    const used = (count: number): object => ({ errcode: 0, quota: { used: count, daily_limit: 10_000 } });
    await platform.call('api_create_preauthcode');
    expect(await quota('/cgi-bin/component/api_create_preauthcode')).toMatchObject(used(1));
    expect(await quota('/cgi-bin/component/api_of_nobody')).toMatchObject({ errcode: 76021 });
    expect(await quota('cgi-bin/component/api_create_preauthcode')).toMatchObject({ errcode: 76003 });
    expect(await platform.call('/cgi-bin/clear_quota', { appid: 'wx0000000000000000' })).toMatchObject({
      errcode: 40013,
    });
    expect(await platform.call('/cgi-bin/clear_quota', { appid: componentAppId })).toMatchObject({ errcode: 0 });
    expect(await quota('/cgi-bin/component/api_create_preauthcode')).toMatchObject(used(0));
    const clear = (appsecret: string): Promise<object> =>
      platform.raw('/cgi-bin/component/clear_quota/v2', JSON.stringify({ component_appid: componentAppId, appsecret }));
    expect(await clear('wrong')).toMatchObject({ errcode: 40125 });
    for (let time = 2; time <= 10; time += 1) expect(await clear(componentAppSecret)).toMatchObject({ errcode: 0 });
    expect(await clear(componentAppSecret)).toMatchObject({ errcode: 48006 });
  });
});
