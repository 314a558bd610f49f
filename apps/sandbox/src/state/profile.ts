import { type Account, ACCOUNT_STATUS, type AccountKind } from './account.js';

const NO_DOMAINS = {
  RequestDomain: ['https://weixin.qq.com'],
  WsRequestDomain: ['wss://weixin.qq.com'],
  UploadDomain: ['https://weixin.qq.com'],
  DownloadDomain: ['https://weixin.qq.com'],
  BizDomain: [],
  UDPDomain: [],
  TCPDomain: [],
  PrefetchDNSDomain: [],
  NewRequestDomain: [],
  NewWsRequestDomain: [],
  NewUploadDomain: [],
  NewDownloadDomain: [],
  NewBizDomain: [],
  NewUDPDomain: [],
  NewTCPDomain: [],
  NewPrefetchDNSDomain: [],
};

/** The element that tells kinds apart: service_type_info alone is 0 for subscription accounts and mini programs alike. */
const KIND_PART: Readonly<Record<AccountKind, object>> = {
  official_account: {},
  service_account: {},
  mini_program: {
    MiniProgramInfo: {
      network: NO_DOMAINS,
      categories: [
        { first: '生活服务', second: '百货/超市/便利店' },
        { first: '商业服务', second: '线下超市/便利店' },
      ],
      visit_status: 0,
    },
  },
  channels: { channels_info: { id: 0 } },
  store: { store_info: { id: 0 } },
  talent: { talent_info: { id: 0 } },
};

/** `authorizer_info` as api_get_authorizer_info answers it. */
export function profileOf(account: Account): object {
  return {
    nick_name: account.nickName,
    head_img: `http://wx.qlogo.cn/mmopen/${account.userName}/0`,
    service_type_info: { id: account.kind === 'service_account' ? 2 : 0 },
    verify_type_info: { id: account.verified ? 0 : -1 },
    user_name: account.userName,
    alias: account.alias,
    qrcode_url: `http://mmbiz.qpic.cn/mmbiz_jpg/${account.userName}/0`,
    business_info: { open_pay: 0, open_shake: 0, open_scan: 0, open_card: 0, open_store: 0 },
    idc: 1,
    principal_name: account.principalName,
    signature: account.signature,
    ...KIND_PART[account.kind],
    register_type: 0,
    account_status: ACCOUNT_STATUS[account.status],
    basic_config: { is_phone_configured: true, is_email_configured: true },
  };
}

/** `func_info`: what the merchant granted; some entries carry confirm_info, as real ones do. */
export function funcInfo(funcIds: readonly number[]): object[] {
  return funcIds.map((id) =>
    id === 3 || id === 18
      ? { funcscope_category: { id }, confirm_info: { need_confirm: 0, already_confirm: 0, can_confirm: 0 } }
      : { funcscope_category: { id } },
  );
}
