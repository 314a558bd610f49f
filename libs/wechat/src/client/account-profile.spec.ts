import { accountProfileAnswer } from './account-profile.js';

const REAL_MINI_PROGRAM = JSON.parse(
  String.raw`{"authorizer_info":{"nick_name":"美妆饰品","head_img":"http:\/\/wx.qlogo.cn\/mmopen\/jJSbu4Te5iuiaM0dFnKVUEE83n2yH5cQStb\/0","service_type_info":{"id":0},"verify_type_info":{"id":-1},"user_name":"gh_c43395cb652e","alias":"","qrcode_url":"http:\/\/mmbiz.qpic.cn\/mmbiz_jpg\/kPmmhe6g\/0","business_info":{"open_pay":0,"open_shake":0,"open_scan":0,"open_card":0,"open_store":0},"idc":1,"principal_name":"个人","signature":"做美装，精美饰品等搭配教学","MiniProgramInfo":{"network":{"RequestDomain":["https:\/\/weixin.qq.com"],"WsRequestDomain":["wss:\/\/weixin.qq.com"],"UploadDomain":["https:\/\/weixin.qq.com"],"DownloadDomain":["https:\/\/weixin.qq.com"],"BizDomain":[],"UDPDomain":[],"TCPDomain":[],"PrefetchDNSDomain":[],"NewRequestDomain":[],"NewWsRequestDomain":[],"NewUploadDomain":[],"NewDownloadDomain":[],"NewBizDomain":[],"NewUDPDomain":[],"NewTCPDomain":[],"NewPrefetchDNSDomain":[]},"categories":[{"first":"生活服务","second":"丽人服务"},{"first":"旅游服务","second":"旅游资讯"},{"first":"物流服务","second":"查件"}],"visit_status":0},"register_type":0,"account_status":1,"basic_config":{"is_phone_configured":true,"is_email_configured":true}},
"authorization_info":{"authorizer_appid":"wx326eecacf7370d4e","authorizer_refresh_token":"refreshtoken@@@RU0Sgi7bD6apS7frS9gj8Sbws7OoDejK9Z-cm0EnCzg","func_info":[{"funcscope_category":{"id":3},"confirm_info":{"need_confirm":0,"already_confirm":0,"can_confirm":0}},{"funcscope_category":{"id":7}},{"funcscope_category":{"id":17}},{"funcscope_category":{"id":18},"confirm_info":{"need_confirm":0,"already_confirm":0,"can_confirm":0}},{"funcscope_category":{"id":19}},{"funcscope_category":{"id":30},"confirm_info":{"need_confirm":0,"already_confirm":0,"can_confirm":0}},{"funcscope_category":{"id":115}}]}}`,
) as { authorizer_info: object; authorization_info: object };

const OFFICIAL_ACCOUNT = {
  nick_name: '微信SDK Demo Special',
  service_type_info: { id: 2 },
  verify_type_info: { id: 0 },
  user_name: 'gh_eb5e3a772040',
  principal_name: '腾讯计算机系统有限公司',
  alias: 'paytest01',
};

/** The profile of an account with this `authorizer_info`. */
const profileOf = (info: object, authorization: object = {}) =>
  accountProfileAnswer.parse({
    authorizer_info: info,
    authorization_info: { authorizer_appid: 'wxf8b4f85f3a794e77', ...authorization },
  });

describe('the profile of an account', () => {
  it('is read from a real answer about a mini program', () => {
    expect(accountProfileAnswer.parse(REAL_MINI_PROGRAM)).toEqual({
      appId: 'wx326eecacf7370d4e',
      accountType: 'mini_program',
      nickName: '美妆饰品',
      userName: 'gh_c43395cb652e',
      principalName: '个人',
      alias: null,
      headImageUrl: 'http://wx.qlogo.cn/mmopen/jJSbu4Te5iuiaM0dFnKVUEE83n2yH5cQStb/0',
      qrcodeUrl: 'http://mmbiz.qpic.cn/mmbiz_jpg/kPmmhe6g/0',
      verified: false,
      accountStatus: 'normal',
      permissionIds: [3, 7, 17, 18, 19, 30, 115],
      refreshToken: 'refreshtoken@@@RU0Sgi7bD6apS7frS9gj8Sbws7OoDejK9Z-cm0EnCzg',
      raw: expect.objectContaining({ authorizer_info: REAL_MINI_PROGRAM.authorizer_info }) as unknown,
    });
  });

  it('is read from the documented answer about a service account', () => {
    expect(profileOf(OFFICIAL_ACCOUNT)).toMatchObject({
      accountType: 'service_account',
      nickName: '微信SDK Demo Special',
      alias: 'paytest01',
      verified: true,
      headImageUrl: null,
      accountStatus: 'unknown',
      permissionIds: [],
      refreshToken: null,
    });
  });

  it.each<[object, string]>([
    [{ service_type_info: { id: 0 } }, 'official_account'],
    [{ service_type_info: { id: 1, name: 'upgraded' } }, 'official_account'],
    [{ service_type_info: { id: '2' } }, 'service_account'],
    [{ service_type_info: { id: 4 } }, 'mini_program'],
    [{ service_type_info: { id: 12 } }, 'mini_program'],
    [{ service_type_info: { id: 2 }, MiniProgramInfo: {} }, 'mini_program'],
    [{ service_type_info: { id: 0 }, channels_info: { id: 0 } }, 'channels'],
    [{ service_type_info: { id: 0 }, store_info: { id: 0 } }, 'store'],
    [{ talent_info: { id: 0 } }, 'talent'],
    [{ service_type_info: { id: 2 }, MiniProgramInfo: null, channels_info: null }, 'service_account'],
    [{ service_type_info: { id: 77 } }, 'unknown'],
    [{ supplier_info: { id: 0 } }, 'unknown'],
    [{}, 'unknown'],
  ])('with %j says %s', (info, accountType) => {
    expect(profileOf(info)).toMatchObject({ accountType });
  });

  it.each([
    [-1, false],
    [0, true],
    [1, true],
    [3, true],
    [5, true],
    ['0', true],
    [6, null],
    [-2, null],
    [undefined, null],
  ])('with verify_type_info %j says verified: %j', (id, verified) => {
    expect(profileOf({ verify_type_info: { id } })).toMatchObject({ verified });
  });

  it.each([
    [1, 'normal'],
    [14, 'cancelled'],
    [16, 'banned'],
    [18, 'warned'],
    [19, 'frozen'],
    ['19', 'frozen'],
    [99, 'unknown'],
    [null, 'unknown'],
  ])('with account_status %j says %s', (account_status, accountStatus) => {
    expect(profileOf({ account_status })).toMatchObject({ accountStatus });
  });

  it('survives fields of any other shape', () => {
    const odd = {
      nick_name: 7,
      alias: null,
      verify_type_info: [],
      service_type_info: 'x',
      account_status: {},
      MiniProgramInfo: 1,
    };
    expect(profileOf({ ...odd, business_info: '0', news: { deep: [1] } })).toMatchObject({
      nickName: null,
      alias: null,
      verified: null,
      accountType: 'unknown',
      accountStatus: 'unknown',
    });
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', '', '//wx.qlogo.cn/x', 7])(
    'offers no picture at %j, where a browser must not go',
    (address) => {
      expect(profileOf({ head_img: address, qrcode_url: address })).toMatchObject({
        headImageUrl: null,
        qrcodeUrl: null,
      });
    },
  );

  it('keeps the raw answer without any token', () => {
    const tokens = {
      authorizer_refresh_token: 'secret-1',
      refresh_token: 'secret-2',
      authorizer_access_token: 'secret-3',
    };
    const { raw, refreshToken } = profileOf({ ...OFFICIAL_ACCOUNT, idc: 1 }, tokens);
    expect(refreshToken).toBe('secret-1');
    expect(JSON.stringify(raw)).not.toContain('secret');
    expect(raw).toEqual({
      authorizer_info: { ...OFFICIAL_ACCOUNT, idc: 1 },
      authorization_info: { authorizer_appid: 'wxf8b4f85f3a794e77' },
    });
  });

  it.each([{}, { authorizer_info: {} }, { authorization_info: { authorizer_appid: 'wx1' } }, [], null, 'x'])(
    'is not read from %j',
    (answer) => {
      expect(accountProfileAnswer.safeParse(answer).success).toBe(false);
    },
  );
});
