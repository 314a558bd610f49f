import { ScriptedWechat } from './testing/scripted-wechat.js';
import { WechatClient } from './wechat-client.js';

/** Real and documented answers of WeChat. */
const QUERY_AUTH = {
  authorization_info: {
    authorizer_appid: 'wxf8b4f85f3a794e77',
    authorizer_access_token: 'QXjUqNqfYVH0yBE1iI_7vuN_9gQbpjfK7hYwJ3P7xOa88a89',
    expires_in: 7200,
    authorizer_refresh_token: 'refreshtoken@@@abWK9VW_dTo-YCXPL4llX-u1W1pPpnp8Hgm4wpJtlR6iV0doKdY',
    func_info: [1, 15, 4, 2, 9].map((id) => ({ funcscope_category: { id } })),
  },
};
const PRE_AUTH_CODE = { pre_auth_code: 'preauthcode@@@blzWgoI6xZdn4fqdDH-5HsJf', expires_in: 1800 };

describe('WechatClient', () => {
  const wechat = new ScriptedWechat();
  let client: WechatClient;

  beforeAll(() => wechat.start());
  afterAll(() => wechat.stop());
  beforeEach(() => {
    client = new WechatClient({
      baseUrl: wechat.url,
      componentAppId: 'wxcomponent',
      componentAppSecret: 'the-secret',
      totalTimeoutMs: 1_000,
    });
  });
  afterEach(() => client.close());

  const malformed = expect.objectContaining({ kind: 'malformed', requestSent: true }) as unknown;

  describe('componentToken', () => {
    it('sends the appid, the secret and the ticket, and no token', async () => {
      wechat.answers({ component_access_token: '61W3mEpU66027wgNZ', expires_in: 7200 });
      expect(await client.componentToken({ ticket: 'ticket@@@x' })).toEqual({
        accessToken: '61W3mEpU66027wgNZ',
        expiresInSeconds: 7200,
      });
      expect(wechat.last).toMatchObject({
        method: 'POST',
        path: '/cgi-bin/component/api_component_token',
        query: {},
        headers: { 'content-type': 'application/json; charset=utf-8', 'accept-encoding': 'identity' },
      });
      expect(wechat.last.body).toEqual({
        component_appid: 'wxcomponent',
        component_appsecret: 'the-secret',
        component_verify_ticket: 'ticket@@@x',
      });
    });

    it.each([
      [{ component_access_token: 'a', expires_in: '7200' }, 7200],
      [{ access_token: 'a', expires_in: 600 }, 600],
      [{ component_access_token: 'a', expires_in: 1, errcode: 0, errmsg: 'ok', news: [] }, 1],
      [{ component_access_token: 'a', expires_in: 10 ** 9 }, 86_400],
    ])('reads %j', async (answer, expiresInSeconds) => {
      wechat.answers(answer);
      expect(await client.componentToken({ ticket: 't' })).toEqual({ accessToken: 'a', expiresInSeconds });
    });

    it.each([
      {},
      { component_access_token: 'a' },
      { component_access_token: '', expires_in: 7200 },
      { component_access_token: null, expires_in: 7200 },
      { component_access_token: 7, expires_in: 7200 },
      { component_access_token: 'a', expires_in: 0 },
      { component_access_token: 'a', expires_in: -1 },
      { component_access_token: 'a', expires_in: 'soon' },
      { component_access_token: 'a', expires_in: 1.5 },
      { component_access_token: 'a', expires_in: 7200, errcode: 'odd' },
    ])('does not take %j for a token', async (answer) => {
      wechat.answers(answer);
      await expect(client.componentToken({ ticket: 't' })).rejects.toEqual(malformed);
    });
  });

  describe('createPreAuthCode', () => {
    it('keeps the code whole, with its prefix', async () => {
      wechat.answers(PRE_AUTH_CODE);
      expect(await client.createPreAuthCode('cat')).toEqual({
        preAuthCode: PRE_AUTH_CODE.pre_auth_code,
        expiresInSeconds: 1800,
      });
      expect(wechat.last).toMatchObject({
        path: '/cgi-bin/component/api_create_preauthcode',
        query: { component_access_token: 'cat' },
        body: { component_appid: 'wxcomponent' },
      });
    });
  });

  describe('queryAuth', () => {
    it('sends the code whole and reads the tokens and the permissions, sorted', async () => {
      wechat.answers(QUERY_AUTH);
      expect(await client.queryAuth('c+a/t&=', 'queryauthcode@@@x')).toEqual({
        authorizerAppId: 'wxf8b4f85f3a794e77',
        accessToken: QUERY_AUTH.authorization_info.authorizer_access_token,
        expiresInSeconds: 7200,
        refreshToken: QUERY_AUTH.authorization_info.authorizer_refresh_token,
        permissionIds: [1, 2, 4, 9, 15],
      });
      expect(wechat.last).toMatchObject({
        path: '/cgi-bin/component/api_query_auth',
        query: { component_access_token: 'c+a/t&=' },
        body: { component_appid: 'wxcomponent', authorization_code: 'queryauthcode@@@x' },
      });
    });

    const nothing = { accessToken: null, expiresInSeconds: null, refreshToken: null, permissionIds: [] };
    it.each<[object, object]>([
      [{}, {}],
      [{ func_info: [], authorizer_refresh_token: '' }, {}],
      [{ func_info: null, authorizer_refresh_token: null, expires_in: null }, {}],
      [{ func_info: {} }, {}],
      [
        { refresh_token: 'r', access_token: 'a', expires_in: '60' },
        { refreshToken: 'r', accessToken: 'a', expiresInSeconds: 60 },
      ],
      [{ authorizer_access_token: 'a', authorizer_refresh_token: 'r' }, { refreshToken: 'r' }],
      [{ authorizer_access_token: 'a', authorizer_refresh_token: 'r', expires_in: 'x' }, { refreshToken: 'r' }],
      [
        {
          func_info: [
            { funcscope_category: { id: '99999' } },
            { funcscope_category: { id: 3_000_000_000 } },
            { funcscope_category: { id: 2 } },
            {},
            null,
            'x',
            { funcscope_category: { id: 2 } },
          ],
        },
        { permissionIds: [2, 99999] },
      ],
    ])('does not lose the account over %j', async (info, expected) => {
      wechat.answers({ authorization_info: { authorizer_appid: 'wx1', ...info } });
      expect(await client.queryAuth('cat', 'code')).toEqual({ authorizerAppId: 'wx1', ...nothing, ...expected });
    });

    it('goes over a connection of its own, since one kept alive may be closing', async () => {
      const ports = () => wechat.arrived.map(({ remotePort }) => remotePort);
      wechat.answers(PRE_AUTH_CODE);
      for (let i = 0; i < 30; i++) await client.createPreAuthCode('cat');
      const kept = new Set(ports());
      expect(kept.size).toBeLessThanOrEqual(20);
      wechat.answers(QUERY_AUTH);
      for (let i = 0; i < 3; i++) await client.queryAuth('cat', 'code');
      expect(new Set([...kept, ...ports()]).size).toBe(kept.size + 3);
      expect(wechat.last.headers.connection).toBe('close');
    });
  });

  describe('authorizerToken', () => {
    it('sends the refresh token and reads both tokens', async () => {
      wechat.answers({
        authorizer_access_token: 'some-access-token',
        expires_in: 7200,
        authorizer_refresh_token: 'r2',
      });
      expect(await client.authorizerToken('cat', 'wx1', 'r1')).toEqual({
        accessToken: 'some-access-token',
        expiresInSeconds: 7200,
        refreshToken: 'r2',
      });
      expect(wechat.last).toMatchObject({
        path: '/cgi-bin/component/api_authorizer_token',
        query: { component_access_token: 'cat' },
        body: { component_appid: 'wxcomponent', authorizer_appid: 'wx1', authorizer_refresh_token: 'r1' },
      });
    });

    it.each([{}, { authorizer_refresh_token: '' }, { authorizer_refresh_token: null }])(
      'answers null where no refresh token comes back: %j',
      async (rest) => {
        wechat.answers({ authorizer_access_token: 'a', expires_in: 7200, ...rest });
        expect(await client.authorizerToken('cat', 'wx1', 'r')).toMatchObject({ refreshToken: null });
      },
    );
  });

  describe('authorizerInfo', () => {
    const info = (appId: string) => ({
      authorizer_info: { nick_name: '美妆\0饰品\ud800' },
      authorization_info: { authorizer_appid: appId, refresh_token: 'r', func_info: [] },
    });

    it('asks about one account and reads its profile', async () => {
      wechat.answers(info('wx1'));
      expect(await client.authorizerInfo('cat', 'wx1')).toMatchObject({ appId: 'wx1', refreshToken: 'r' });
      expect(wechat.last).toMatchObject({
        path: '/cgi-bin/component/api_get_authorizer_info',
        query: { component_access_token: 'cat' },
        body: { component_appid: 'wxcomponent', authorizer_appid: 'wx1' },
      });
    });

    it('leaves out of every text what PostgreSQL cannot store', async () => {
      wechat.answers(info('wx1'));
      const { nickName, raw } = await client.authorizerInfo('cat', 'wx1');
      expect(nickName).toBe('美妆饰品\ufffd');
      expect(raw).toMatchObject({ authorizer_info: { nick_name: '美妆饰品\ufffd' } });
    });

    it('refuses the profile of another account', async () => {
      wechat.answers(info('wx2'));
      await expect(client.authorizerInfo('cat', 'wx1')).rejects.toEqual(malformed);
    });
  });

  describe('authorizerList', () => {
    it('reads a page, with accounts whose code was never exchanged', async () => {
      wechat.answers({
        total_count: 33,
        list: [
          { authorizer_appid: 'authorizer_appid_1', refresh_token: 'refresh_token_1', auth_time: 1558000607 },
          { authorizer_appid: 'wx1ae72c28abb93c09', auth_time: 1685428690 },
          { authorizer_appid: 'wx2', authorizer_refresh_token: 'r', refresh_token: '', auth_time: '1685428690' },
          { authorizer_appid: 'wx3', auth_time: 9e15 },
        ],
      });
      expect(await client.authorizerList('cat', 0, 500)).toEqual({
        totalCount: 33,
        items: [
          {
            authorizerAppId: 'authorizer_appid_1',
            refreshToken: 'refresh_token_1',
            authTime: new Date('2019-05-16T09:56:47Z'),
          },
          { authorizerAppId: 'wx1ae72c28abb93c09', refreshToken: null, authTime: new Date('2023-05-30T06:38:10Z') },
          { authorizerAppId: 'wx2', refreshToken: 'r', authTime: new Date('2023-05-30T06:38:10Z') },
          { authorizerAppId: 'wx3', refreshToken: null, authTime: null },
        ],
      });
      expect(wechat.last).toMatchObject({
        path: '/cgi-bin/component/api_get_authorizer_list',
        body: { component_appid: 'wxcomponent', offset: 0, count: 500 },
      });
    });

    it.each([{ total_count: 0, list: [] }, { total_count: 0 }, { total_count: '0', list: null }])(
      'reads %j as nobody',
      async (answer) => {
        wechat.answers(answer);
        expect(await client.authorizerList('cat', 0, 500)).toEqual({ totalCount: 0, items: [] });
      },
    );

    it.each([
      { total_count: 2 },
      { list: [] },
      { total_count: 1, list: [{ refresh_token: 'r' }] },
      { total_count: 1, list: [null] },
    ])('does not mistake %j for a list somebody is missing from', async (answer) => {
      wechat.answers(answer);
      await expect(client.authorizerList('cat', 0, 500)).rejects.toEqual(malformed);
    });

    it('has room for a full page', async () => {
      const list = Array.from({ length: 500 }, (_, i) => ({
        authorizer_appid: `wx${i}`,
        refresh_token: 'r'.repeat(512),
        auth_time: 1558000607,
      }));
      wechat.answers({ total_count: 500, list });
      expect((await client.authorizerList('cat', 0, 500)).items).toHaveLength(500);
    });
  });

  describe('startPushTicket', () => {
    it.each([
      [{ errcode: 0, errmsg: 'ok' }, 'restarted'],
      [{ errcode: 0, errmsg: 'in a normal state' }, 'already_on'],
      [{ errcode: 0, errmsg: 'in a normal state rid: 5fc60c96-69d846b9-287987c1' }, 'already_on'],
    ])('reads %j as %s', async (answer, pushing) => {
      wechat.answers(answer);
      expect(await client.startPushTicket()).toBe(pushing);
      expect(wechat.last).toMatchObject({ path: '/cgi-bin/component/api_start_push_ticket', query: {} });
      expect(wechat.last.body).toEqual({ component_appid: 'wxcomponent', component_secret: 'the-secret' });
    });
  });

  it.each(['text/plain', 'text/html; charset=gbk', 'application/octet-stream', 'image/png'])(
    'reads the answer as JSON although it is called %s',
    async (type) => {
      wechat.answers((response) => response.setHeader('content-type', type).end(JSON.stringify(PRE_AUTH_CODE)));
      expect(await client.createPreAuthCode('cat')).toMatchObject({ expiresInSeconds: 1800 });
    },
  );

  it.each([
    ['a byte order mark', `\ufeff${JSON.stringify(PRE_AUTH_CODE)}`],
    ['blank lines', `\r\n${JSON.stringify(PRE_AUTH_CODE, null, 2)}\n`],
    ['raw control characters in a text', JSON.stringify({ ...PRE_AUTH_CODE, x: 'a#b' }).replace('#', '\u001d')],
  ])('reads an answer with %s', async (_, body) => {
    wechat.answers(body);
    expect(await client.createPreAuthCode('cat')).toMatchObject({ expiresInSeconds: 1800 });
  });

  it('finds WeChat behind a gateway with a path of its own', async () => {
    const gateway = new WechatClient({ baseUrl: `${wechat.url}/wx/`, componentAppId: 'wx', componentAppSecret: 's' });
    wechat.answers(PRE_AUTH_CODE);
    await gateway.createPreAuthCode('cat');
    expect(wechat.last.path).toBe('/wx/cgi-bin/component/api_create_preauthcode');
    await gateway.close();
  });
});
