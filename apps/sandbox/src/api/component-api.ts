import { type Errcode, WechatError } from '../wechat-error.js';
import { type World } from '../world.js';

export type ApiBody = Record<string, unknown>;

/** Who calls, by the token in the query. */
export type Caller = { kind: 'component' } | { kind: 'authorizer'; appId: string } | { kind: 'nobody' };

export interface ApiCall {
  world: World;
  body: ApiBody;
  caller: Caller;
}

/** One API of api.weixin.qq.com. */
export interface ComponentApi {
  path: string;
  method: 'GET' | 'POST';
  /** `component`: a component_access_token and a `component_appid` in the body; `any`: an authorizer's token will do. */
  token: 'component' | 'any' | 'none';
  /** The body of a success. @throws WechatError */
  answer(call: ApiCall): object;
}

export const OK = { errcode: 0, errmsg: 'ok' } as const;

/** A non-empty text out of a body. @throws WechatError with `missing`. */
export function text(body: ApiBody, name: string, missing: Errcode): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw new WechatError(missing);
  return value;
}

/** @throws WechatError 41018 or 40013. */
export function checkComponentAppId({ world, body }: Pick<ApiCall, 'world' | 'body'>): void {
  if (text(body, 'component_appid', 41018) !== world.credentials.componentAppId) throw new WechatError(40013);
}

/** @throws WechatError 41004 or 40125. */
export function checkSecret({ world, body }: ApiCall, name: string): void {
  if (text(body, name, 41004) !== world.credentials.componentAppSecret) throw new WechatError(40125);
}
