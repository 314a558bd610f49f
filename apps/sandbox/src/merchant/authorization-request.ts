import { type HttpRequest } from '../http.js';
import { type Account, type AccountKind, isLimited } from '../state/account.js';
import { offeredSets } from '../state/permission-sets.js';
import { type World } from '../world.js';

/** Which kinds of accounts an `auth_type` admits. None is documented for stores; here they come with 6, "all". */
const AUTH_TYPES: Readonly<Record<string, readonly AccountKind[]>> = {
  1: ['official_account', 'service_account'],
  2: ['mini_program'],
  3: ['official_account', 'service_account', 'mini_program'],
  5: ['channels'],
  6: ['official_account', 'service_account', 'mini_program', 'channels', 'store'],
  8: ['talent'],
};
const DEFAULT_AUTH_TYPE = '3';
const SHOWN_ACCOUNTS = 50;

/** Why WeChat's page shows a message instead of accounts. */
export class Refusal extends Error {}

export interface Offer {
  account: Account;
  funcIds: readonly number[];
}

/** What the link asks for, checked. */
export interface AuthorizationRequest {
  preAuthCode: string;
  redirectUri: URL;
  offers: Offer[];
}

/** @throws Refusal */
export function readAuthorizationRequest(world: World, query: URLSearchParams): AuthorizationRequest {
  const preAuthCode = world.platform.usablePreAuthCode(query.get('pre_auth_code') ?? '');
  const isOurs = query.get('component_appid') === world.credentials.componentAppId;
  if (preAuthCode === null || !isOurs) throw new Refusal('PreAuthCode无效');
  return { preAuthCode, redirectUri: redirectUriOf(query), offers: offersFor(world, query) };
}

/**
 * On a PC the link must be followed from a page on the host it returns to.
 * @throws Refusal naming the host it came from, 空 for none.
 */
export function checkEntryPage({ headers }: HttpRequest, redirectUri: URL): void {
  const entry = headers.referer && URL.canParse(headers.referer) ? new URL(headers.referer).host : '空';
  if (entry === redirectUri.host) return;
  throw new Refusal(
    `请确认授权入口页所在域名，与授权后回调页所在域名相同。授权入口页所在域名：${entry}；回调页所在域名：${redirectUri.host}`,
  );
}

function redirectUriOf(query: URLSearchParams): URL {
  const uri = query.get('redirect_uri') ?? '';
  const url = URL.canParse(uri) ? new URL(uri) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw new Refusal('redirect_uri 参数错误');
  return url;
}

/** Only accounts that can authorize: frozen, banned and cancelled ones are not shown. */
function offersFor(world: World, query: URLSearchParams): Offer[] {
  const bizAppId = query.get('biz_appid');
  const kinds = AUTH_TYPES[query.get('auth_type') ?? DEFAULT_AUTH_TYPE] ?? [];
  const accounts = bizAppId
    ? [world.accounts.find(bizAppId)].filter((account) => account !== undefined)
    : world.accounts.first(SHOWN_ACCOUNTS, ({ kind }) => kinds.includes(kind));
  const usable = accounts.filter((account) => !isLimited(account));
  if (usable.length > 0) return usable.map((account) => ({ account, funcIds: setsAsked(account, query) }));
  throw new Refusal(
    bizAppId ? `仅支持指定账号「${bizAppId}」进行授权` : '第三方平台指定了无效的权限：没有符合条件的账号',
  );
}

function setsAsked({ kind }: Account, query: URLSearchParams): readonly number[] {
  const asked = query.get('category_id_list')?.split('|').map(Number) ?? [];
  return asked.length > 0 ? offeredSets(kind).filter((id) => asked.includes(id)) : offeredSets(kind);
}
