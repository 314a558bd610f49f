import { WechatApiError, WechatError, WechatUnavailable } from '@app/wechat';

/** What to do when WeChat gave no access token. */
export type Remedy =
  /** The refresh token is not good any more: look for another one. */
  | { readonly kind: 'recover' }
  /** The account is said to have withdrawn: make sure of it. */
  | { readonly kind: 'verify' }
  /** The account is frozen, banned or gone: a person must act, and repeating does not help. */
  | { readonly kind: 'freeze'; readonly retryAfterSeconds: number }
  /** It may pass, or an operator mends it: ask again later, and not before. */
  | { readonly kind: 'wait'; readonly retryAfterSeconds: number };

const NOT_AUTHORIZED_ANY_MORE = 61003;
const MINUTE_LIMIT = 45011;

/** Decides by WeChat's answer, or by the want of one. Anything that is no failure of WeChat is thrown on. */
export function remedyOf(error: unknown): Remedy {
  if (error instanceof WechatUnavailable) return wait(Math.ceil((error.retryAfterMs ?? 5_000) / 1000));
  if (error instanceof WechatError) return wait(60);
  if (!(error instanceof WechatApiError)) throw error;
  const { reaction, errcode } = error;
  switch (reaction) {
    case 'reauthorize':
      return errcode === NOT_AUTHORIZED_ANY_MORE ? { kind: 'verify' } : { kind: 'recover' };
    case 'account_state':
      return { kind: 'freeze', retryAfterSeconds: 600 };
    case 'retry':
      return wait(5);
    case 'refresh_token':
      return wait(30);
    case 'configuration':
    case 'programming':
      return wait(60);
    case 'quota':
      return wait(errcode === MINUTE_LIMIT ? 60 : 600);
    default:
      return reaction satisfies never;
  }
}

function wait(retryAfterSeconds: number): Remedy {
  return { kind: 'wait', retryAfterSeconds: Math.max(1, retryAfterSeconds) };
}
