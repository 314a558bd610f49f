import { type AccountType } from '@app/events';
import { z } from 'zod';
import { integer, lenient, permissionIds, text, type JsonObject } from './wechat-answers.js';

export type AccountStatus = 'normal' | 'cancelled' | 'banned' | 'warned' | 'frozen' | 'unknown';

/** What WeChat tells about an account that has authorized us, in our words. */
export interface AccountProfile {
  readonly appId: string;
  readonly accountType: AccountType;
  readonly nickName: string | null;
  readonly userName: string | null;
  readonly principalName: string | null;
  readonly alias: string | null;
  readonly headImageUrl: string | null;
  readonly qrcodeUrl: string | null;
  /** Whether the account passed a verification; null where WeChat does not say. */
  readonly verified: boolean | null;
  readonly accountStatus: AccountStatus;
  /** What the merchant granted, sorted, each once. */
  readonly permissionIds: number[];
  /** Null where WeChat gives none: the account lacks API ability, or its code was never exchanged. */
  readonly refreshToken: string | null;
  /** The answer as WeChat gave it, without its tokens. */
  readonly raw: JsonObject;
}

const typeInfo = lenient(z.object({ id: lenient(integer) }));
const anyObject = lenient(z.record(z.string(), z.unknown()));
/** Only what a browser may safely be sent to. */
const webAddress = lenient(z.string().regex(/^https?:\/\//i));

const accountInfo = z.object({
  nick_name: text,
  head_img: webAddress,
  service_type_info: typeInfo,
  verify_type_info: typeInfo,
  user_name: text,
  principal_name: text,
  alias: text,
  qrcode_url: webAddress,
  account_status: lenient(integer),
  MiniProgramInfo: anyObject,
  channels_info: anyObject,
  store_info: anyObject,
  talent_info: anyObject,
});
type AccountInfo = z.infer<typeof accountInfo>;

const authorizerInfo = z.object({
  authorizer_info: accountInfo,
  authorization_info: z.object({
    authorizer_appid: z.string().min(1),
    authorizer_refresh_token: text,
    refresh_token: text,
    func_info: permissionIds,
  }),
});

const ACCOUNT_TYPE_BY_SERVICE: Readonly<Record<number, AccountType>> = {
  0: 'official_account',
  1: 'official_account',
  2: 'service_account',
  // Kinds of mini programs.
  3: 'mini_program',
  4: 'mini_program',
  10: 'mini_program',
  12: 'mini_program',
};

const ACCOUNT_STATUS: Readonly<Record<number, AccountStatus>> = {
  1: 'normal',
  14: 'cancelled',
  16: 'banned',
  18: 'warned',
  19: 'frozen',
};

/**
 * The answer of `api_get_authorizer_info`, read into our words.
 *
 * @see https://developers.weixin.qq.com/doc/oplatform/openApi/authorization-management/api_getauthorizerinfo
 */
export const accountProfileAnswer = z
  .preprocess((raw) => ({ raw, info: raw }), z.object({ raw: z.record(z.string(), z.unknown()), info: authorizerInfo }))
  .transform(({ raw, info: { authorizer_info: account, authorization_info: authorization } }): AccountProfile => ({
    appId: authorization.authorizer_appid,
    accountType: accountTypeOf(account),
    nickName: account.nick_name,
    userName: account.user_name,
    principalName: account.principal_name,
    alias: account.alias,
    headImageUrl: account.head_img,
    qrcodeUrl: account.qrcode_url,
    verified: isVerified(account.verify_type_info?.id ?? null),
    accountStatus: ACCOUNT_STATUS[account.account_status ?? 0] ?? 'unknown',
    permissionIds: authorization.func_info,
    refreshToken: authorization.authorizer_refresh_token ?? authorization.refresh_token,
    raw: withoutTokens(raw),
  }));

/** The kinds with a section of their own come first: they reuse the service type ids of official accounts. */
function accountTypeOf(account: AccountInfo): AccountType {
  if (account.MiniProgramInfo) return 'mini_program';
  if (account.channels_info) return 'channels';
  if (account.store_info) return 'store';
  if (account.talent_info) return 'talent';
  return ACCOUNT_TYPE_BY_SERVICE[account.service_type_info?.id ?? -1] ?? 'unknown';
}

/** -1 is "not verified", 0 to 5 are the verifications there are or were. */
function isVerified(verifyType: number | null): boolean | null {
  if (verifyType === -1) return false;
  return verifyType !== null && verifyType >= 0 && verifyType <= 5 ? true : null;
}

function withoutTokens(raw: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify(raw, (key, value: unknown) => (/token$/i.test(key) ? undefined : value)),
  ) as JsonObject;
}
