import { AUTH_TYPES, type AuthorizationRequest, wechatPages } from './wechat-pages.js';

const WECHAT = null;
const REQUEST: AuthorizationRequest = {
  componentAppId: 'wx5a0d60c8f1e2b347',
  preAuthCode: 'preauthcode@@@a+b/c=',
  redirectUri: 'https://shop.example/social/with/wechat/authorized?link=L&token=T',
  authType: null,
  authorizerAppId: null,
  permissionIds: [],
};
const QUERY =
  'component_appid=wx5a0d60c8f1e2b347&pre_auth_code=preauthcode%40%40%40a%2Bb%2Fc%3D' +
  '&redirect_uri=https%3A%2F%2Fshop.example%2Fsocial%2Fwith%2Fwechat%2Fauthorized%3Flink%3DL%26token%3DT';
const DESKTOP = `https://mp.weixin.qq.com/cgi-bin/componentloginpage?${QUERY}`;
const MOBILE = `https://open.weixin.qq.com/wxaopen/safe/bindcomponent?action=bindcomponent&no_scan=1&${QUERY}`;

describe('the addresses of WeChat’s pages', () => {
  it.each([
    ['official accounts and mini programs by default', {}, '&auth_type=3'],
    ...AUTH_TYPES.map((authType) => [`type ${authType}`, { authType }, `&auth_type=${authType}`] as const),
    [
      'one account, which counts more than the type',
      { authType: 1, authorizerAppId: 'wxf8b4f85f3a794e77' },
      '&auth_type=1&biz_appid=wxf8b4f85f3a794e77',
    ],
    ['permission sets', { permissionIds: [1, 15, 30] }, '&auth_type=3&category_id_list=1%7C15%7C30'],
    [
      'all of it',
      { authType: 2, authorizerAppId: 'wxf8b4f85f3a794e77', permissionIds: [17] },
      '&auth_type=2&biz_appid=wxf8b4f85f3a794e77&category_id_list=17',
    ],
  ] as const)('are as WeChat documents them, byte for byte, for %s', (_, wish, asked) => {
    expect(wechatPages(WECHAT, { ...REQUEST, ...wish })).toEqual({
      desktopUrl: `${DESKTOP}${asked}`,
      mobileUrl: `${MOBILE}${asked}#wechat_redirect`,
    });
  });

  it('offer the types that WeChat knows, and no other', () => {
    expect(AUTH_TYPES).toEqual([1, 2, 3, 4, 5, 6, 8]);
  });

  it('are where the sandbox is when that stands in', () => {
    const { desktopUrl, mobileUrl } = wechatPages('http://127.0.0.1:3001', REQUEST);
    expect(desktopUrl).toBe(`http://127.0.0.1:3001/cgi-bin/componentloginpage?${QUERY}&auth_type=3`);
    expect(mobileUrl).toContain('http://127.0.0.1:3001/wxaopen/safe/bindcomponent?action=bindcomponent&no_scan=1&');
  });
});
