import { type AuthType } from '../wechat-pages.js';
import { type Language } from './language.js';

/** A page that only says something. */
interface Message {
  readonly title: string;
  readonly lead: string;
}

export type MessageName =
  | 'used'
  | 'expired'
  | 'unknown'
  | 'away'
  | 'busy'
  | 'tooOften'
  | 'tooMany'
  | 'rested'
  | 'waiting'
  | 'refused'
  | 'lost'
  | 'superseded'
  | 'conflict'
  | 'mismatch'
  | 'badRequest'
  | 'unavailable'
  | 'failed';

/** What a button does that leads on from a message. */
export type AgainLabel = 'retry' | 'goOn' | 'openLink';

interface Texts {
  readonly title: string;
  readonly lead: string;
  readonly accounts: string;
  readonly accountKinds: Readonly<Record<AuthType, string>>;
  readonly onlyAccount: (appId: string) => string;
  readonly goodUntil: string;
  readonly permissions: (count: number) => string;
  readonly permission: (id: number) => string;
  readonly computer: string;
  readonly steps: readonly string[];
  readonly computerButton: string;
  readonly computerLink: string;
  readonly phone: string;
  readonly phoneHint: string;
  readonly phoneButton: string;
  readonly phoneLink: string;
  readonly qrName: string;
  readonly qrSummary: string;
  readonly qrHint: string;
  readonly inWechatHint: string;
  readonly codeTrouble: string;
  readonly renew: string;
  readonly again: Readonly<Record<AgainLabel, string>>;
  readonly success: string;
  readonly successLead: string;
  readonly account: string;
  readonly returnTo: (host: string) => string;
  readonly closePage: string;
  readonly messages: Readonly<Record<MessageName, Message>>;
}

const zh: Texts = {
  title: '授权您的微信账号',
  lead: '请由账号管理员操作。授权在微信官方页面完成，您可以自行选择账号和权限，也可以随时在微信后台取消。',
  accounts: '可授权账号',
  accountKinds: {
    1: '公众号、服务号',
    2: '小程序',
    3: '公众号、服务号或小程序',
    4: '小程序推客账号',
    5: '视频号',
    6: '公众号、小程序或视频号',
    8: '带货助手',
  },
  onlyAccount: (appId) => `仅限账号 ${appId}`,
  goodUntil: '链接有效期至',
  permissions: (count) => `本次申请 ${count} 项权限`,
  permission: (id) => `权限集 ${id}`,
  computer: '在电脑上授权',
  steps: ['打开微信授权页', '用管理员的微信扫码', '选择账号和权限，确认授权'],
  computerButton: '前往微信授权页',
  computerLink: '改用电脑版授权页',
  phone: '在手机上授权',
  phoneHint: '用管理员的微信“扫一扫”打开本页。',
  phoneButton: '开始授权',
  phoneLink: '已在微信中？打开手机授权页',
  qrName: '本页二维码',
  qrSummary: '由其他管理员授权？',
  qrHint: '让管理员用微信扫描二维码，打开本页。',
  inWechatHint: '请在微信中打开本页：复制链接发给“文件传输助手”，再点开。',
  codeTrouble: '微信提示“PreAuthCode 无效”？',
  renew: '重新获取',
  again: { retry: '重试', goOn: '继续授权', openLink: '重新打开授权链接' },
  success: '授权成功',
  successLead: '您的账号已授权，我们已经收到。',
  account: '账号',
  returnTo: (host) => `返回 ${host}`,
  closePage: '您现在可以关闭本页。',
  messages: {
    used: {
      title: '链接已使用',
      lead: '该链接的授权已经完成，无需再次操作。如需授权其他账号，请向发送者索取新的链接。',
    },
    expired: { title: '链接已过期', lead: '授权链接自创建起 7 天内有效。请向发送者索取新的链接。' },
    unknown: { title: '链接不存在', lead: '请检查链接是否完整，或向发送者索取新的链接。' },
    away: { title: '暂时无法连接微信', lead: '微信接口没有响应，您的链接依然有效。请稍等片刻再试。' },
    busy: { title: '正在准备授权', lead: '本页正在另一处打开，请稍等几秒再试。' },
    tooOften: { title: '打开次数过多', lead: '该链接短时间内打开的次数过多，请稍后再试。' },
    tooMany: {
      title: '请稍等片刻',
      lead: '此刻返回的授权过多，我们还没有向微信确认。微信也会直接通知我们，您的授权不会丢失。本页会自动重试。',
    },
    rested: { title: '页面停留时间较长', lead: '出于安全考虑，授权凭证只在短时间内有效。请点击继续，获取新的凭证。' },
    waiting: {
      title: '正在确认授权',
      lead: '我们正在向微信确认，通常只需几秒，本页会自动更新。即使关闭本页，授权也会继续处理。',
    },
    refused: {
      title: '授权未能确认',
      lead: '微信不认可此次返回的授权码：它不属于我们、已被使用或已过期。没有任何变更。请重新打开授权链接。',
    },
    lost: {
      title: '授权结果尚不清楚',
      lead: '微信的答复没有送达我们，授权可能已经生效。微信会另行通知我们，届时本页自动更新。如果几分钟后仍是如此，请重新打开授权链接再授权一次，重复授权没有影响。',
    },
    superseded: {
      title: '授权已被取消',
      lead: '该账号随后取消了授权。如需继续，请重新打开授权链接，或向发送者索取新的链接。',
    },
    conflict: {
      title: '授权已收到，等待确认',
      lead: '该账号此前已由其他客户接入，归属暂未变更。我们的工作人员会核实并与您联系。',
    },
    mismatch: {
      title: '授权的不是指定账号',
      lead: '该链接仅限另一个账号使用。您刚才授权的账号没有接入该链接，链接依然等待指定账号。请改用指定账号授权；多余的授权可以在该账号的微信后台取消。',
    },
    badRequest: { title: '缺少授权信息', lead: '请从微信授权页返回到本页，不要直接打开。没有任何变更。' },
    unavailable: { title: '服务暂时不可用', lead: '问题出在我们这边，很快会恢复，您的操作不会丢失。本页会自动重试。' },
    failed: { title: '出了点问题', lead: '是我们这边的问题。请稍后再试。' },
  },
};

const en: Texts = {
  title: 'Authorize your WeChat account',
  lead: 'This is for the account’s administrator. You authorize on WeChat’s own page, choose the account and its permissions there, and can withdraw at any time.',
  accounts: 'Accounts',
  accountKinds: {
    1: 'Official and service accounts',
    2: 'Mini programs',
    3: 'Official accounts, mini programs',
    4: 'Mini program promoters',
    5: 'Channels accounts',
    6: 'Official accounts, mini programs, Channels',
    8: 'Talent assistants',
  },
  onlyAccount: (appId) => `${appId} only`,
  goodUntil: 'Valid until',
  permissions: (count) => `${count} ${count === 1 ? 'permission is' : 'permissions are'} asked for`,
  permission: (id) => `Permission set ${id}`,
  computer: 'On this computer',
  steps: ['Open WeChat’s page', 'Scan with the administrator’s WeChat', 'Choose the account and confirm'],
  computerButton: 'Go to WeChat',
  computerLink: 'Use the computer page instead',
  phone: 'On a phone',
  phoneHint: 'Scan with the administrator’s WeChat to open this page there.',
  phoneButton: 'Start',
  phoneLink: 'In WeChat already? Phone page',
  qrName: 'QR code of this page',
  qrSummary: 'Is somebody else the administrator?',
  qrHint: 'Let them scan this with WeChat to open this page.',
  inWechatHint: 'Please open this page inside WeChat: send yourself the link, then tap it there.',
  codeTrouble: 'WeChat says “PreAuthCode无效”?',
  renew: 'Get a fresh code',
  again: { retry: 'Try again', goOn: 'Continue', openLink: 'Open the link again' },
  success: 'Authorized',
  successLead: 'Your account is authorized, and we have received it.',
  account: 'Account',
  returnTo: (host) => `Return to ${host}`,
  closePage: 'You can close this page now.',
  messages: {
    used: {
      title: 'This link has been used',
      lead: 'Its authorization is complete; there is nothing left to do. For another account, ask the sender for a new link.',
    },
    expired: {
      title: 'This link has expired',
      lead: 'Authorization links are good for 7 days. Ask the sender for a new one.',
    },
    unknown: {
      title: 'There is no such link',
      lead: 'Check that the address is complete, or ask the sender for a new link.',
    },
    away: {
      title: 'WeChat cannot be reached',
      lead: 'WeChat does not answer at the moment. Your link stays valid; please try again shortly.',
    },
    busy: { title: 'Being prepared', lead: 'This page is being opened elsewhere. Please try again in a few seconds.' },
    tooOften: { title: 'Opened too often', lead: 'This link was opened very often in a short time. Please try later.' },
    tooMany: {
      title: 'One moment, please',
      lead: 'Many come back at this moment, so we have not asked WeChat yet. WeChat also tells us directly: your authorization is not lost. This page tries again by itself.',
    },
    rested: {
      title: 'This page has been open for a while',
      lead: 'For your safety its code is good for a short time only. Continue to get a fresh one.',
    },
    waiting: {
      title: 'Confirming with WeChat',
      lead: 'This takes a few seconds, and the page updates by itself. You may also close it: the authorization goes on.',
    },
    refused: {
      title: 'Not confirmed',
      lead: 'WeChat does not accept the code that came back: it is not ours, was used, or has expired. Nothing has changed. Please open the authorization link again.',
    },
    lost: {
      title: 'The outcome is not known yet',
      lead: 'WeChat’s answer did not reach us, so the authorization may have taken effect. WeChat tells us separately, and this page updates once it has. If nothing changes within a few minutes, open the authorization link and authorize again: twice does no harm.',
    },
    superseded: {
      title: 'The authorization was withdrawn',
      lead: 'The account has withdrawn it since. To go on, open the authorization link again, or ask its sender for a new one.',
    },
    conflict: {
      title: 'Received, to be confirmed',
      lead: 'The account was connected for another customer before, and nothing has been moved. Our staff will check and contact you.',
    },
    mismatch: {
      title: 'Not the account this link is for',
      lead: 'The link was made for another account, so the one you authorized was not connected by it. Please authorize the account it is for; you can withdraw the other authorization in that account’s WeChat settings.',
    },
    badRequest: {
      title: 'Something is missing',
      lead: 'This page is where WeChat’s page returns to; it cannot be opened directly. Nothing has changed.',
    },
    unavailable: {
      title: 'Not available for the moment',
      lead: 'The fault is on our side and will pass; nothing you did is lost. This page tries again by itself.',
    },
    failed: { title: 'Something went wrong', lead: 'The fault is on our side. Please try again later.' },
  },
};

export const TEXTS: Readonly<Record<Language, Texts>> = { zh, en };
