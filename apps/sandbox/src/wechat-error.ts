/** The errcodes the sandbox answers with and the wording WeChat gives them. */
const ERRCODES = {
  [-1]: 'system error',
  40001: 'invalid credential, access_token is invalid or not latest',
  40013: 'invalid appid',
  40066: 'invalid url',
  40097: 'invalid args',
  40125: 'invalid appsecret',
  40170: 'args count exceed count limit',
  41001: 'access_token missing',
  41002: 'appid missing',
  41003: 'refresh_token missing',
  41004: 'appsecret missing',
  41018: 'component_appid missing',
  42001: 'access_token expired',
  43001: 'require GET method',
  43002: 'require POST method',
  44002: 'empty post data',
  45009: 'reach max api daily quota limit',
  47001: 'data format error',
  48001: 'api unauthorized',
  48006: 'forbid to clear quota because of reaching the limit',
  50002: 'user limited',
  61003: 'component is not authorized by this account',
  61004: 'access clientip is not registered',
  61005: 'component ticket is expired',
  61006: 'component ticket is invalid',
  61007: 'api is unauthorized to component',
  61009: 'code is invalid',
  61010: 'code is expired',
  61011: 'invalid component',
  61012: 'invalid option name',
  61013: 'invalid option value',
  61014: 'must use component token for component api',
  61023: 'refresh_token is invalid',
  76001: 'rid not found',
  76003: 'cgi_path prefix is wrong',
  76021: 'cgi_path not found, please check',
} as const satisfies Record<number, string>;

export type Errcode = keyof typeof ERRCODES;

/** Wording for any number, known or not: a fault may be told to answer anything. */
export function errmsgOf(errcode: number): string {
  return (ERRCODES as Record<number, string>)[errcode] ?? 'error';
}

/** An answer with an errcode; WeChat sends it as HTTP 200. */
export class WechatError extends Error {
  constructor(readonly errcode: Errcode) {
    super(ERRCODES[errcode]);
    this.name = 'WechatError';
  }
}
