import { type z } from 'zod';
import { accountProfileAnswer, type AccountProfile } from './account-profile.js';
import { CallPolicy } from './call-policy.js';
import {
  authorizerListAnswer,
  authorizerTokenAnswer,
  componentTokenAnswer,
  preAuthCodeAnswer,
  queryAuthAnswer,
  startPushTicketAnswer,
  verdict,
  type Authorization,
  type AuthorizerList,
  type AuthorizerToken,
  type ComponentToken,
  type JsonObject,
  type PreAuthCode,
  type TicketPushing,
} from './wechat-answers.js';
import { type WechatApi } from './errcodes.js';
import { WechatApiError, WechatUnavailable } from './wechat-errors.js';
import { WechatHttp, type WechatRequest } from './wechat-http.js';

export interface WechatClientOptions {
  /** Where `api.weixin.qq.com` is. A path in it goes before WeChat's. */
  readonly baseUrl: string;
  readonly componentAppId: string;
  readonly componentAppSecret: string;
  /** How long a connection may take to be made; 3,000 by default. */
  readonly connectTimeoutMs?: number;
  /** How long a call may take, repeats included; 10,000 by default. */
  readonly totalTimeoutMs?: number;
  /** How long WeChat is left alone after it left three calls in a row hanging; 5,000 by default. */
  readonly pauseAfterHangingMs?: number;
  /** A longer answer is refused; 4 MiB by default. */
  readonly maxAnswerBytes?: number;
}

export interface CallOptions {
  /** Gives up on the call. One that pauses between two attempts notices within a tenth of the total time. */
  readonly signal?: AbortSignal;
}

type Call = Omit<WechatRequest, 'query'> &
  Partial<WechatRequest> & { readonly isRepeatable?: boolean; readonly attemptShare?: number };

const COMPONENT = '/cgi-bin/component';
/** A call that makes a token is worth waiting for: WeChat limits their number, and each may end the token before it. */
const PATIENT = { attemptShare: 0.8 };

/**
 * WeChat's HTTP API for third-party platforms.
 *
 * Every method resolves to WeChat's answer in our words, or throws WechatApiError (WeChat refused; `reaction` says what to do) or
 * WechatUnavailable (no usable answer). All of them are repeated by themselves where that is safe, except `queryAuth`. No message,
 * stack or property of an error holds a token, a code, a ticket or the secret.
 *
 * @see https://developers.weixin.qq.com/doc/oplatform/openApi/
 */
export class WechatClient {
  readonly componentAppId: string;
  readonly #secret: string;
  readonly #http: WechatHttp;
  readonly #policy: CallPolicy;

  constructor(options: WechatClientOptions) {
    const { baseUrl, connectTimeoutMs = 3_000, totalTimeoutMs = 10_000, pauseAfterHangingMs = 5_000 } = options;
    this.componentAppId = options.componentAppId;
    this.#secret = options.componentAppSecret;
    this.#http = new WechatHttp({
      baseUrl,
      connectTimeoutMs,
      maxAnswerBytes: options.maxAnswerBytes ?? 4 * 1024 * 1024,
    });
    this.#policy = new CallPolicy(totalTimeoutMs, pauseAfterHangingMs);
  }

  /** Exchanges the newest ticket for a component access token. */
  async componentToken({ ticket }: { ticket: string }, options?: CallOptions): Promise<ComponentToken> {
    const body = {
      component_appid: this.componentAppId,
      component_appsecret: this.#secret,
      component_verify_ticket: ticket,
    };
    const call = { api: 'api_component_token', path: `${COMPONENT}/api_component_token`, body, ...PATIENT } as const;
    return this.#ask(call, componentTokenAnswer, options);
  }

  /** Fetches a code for one authorization page. It is good for one scan. */
  async createPreAuthCode(componentAccessToken: string, options?: CallOptions): Promise<PreAuthCode> {
    const call = this.#componentCall('api_create_preauthcode', componentAccessToken, {});
    return this.#ask(call, preAuthCodeAnswer, options);
  }

  /**
   * Exchanges an authorization code for the tokens of an account.
   *
   * The code is good for one use: the call is repeated only while it is certain that WeChat has not seen it. When it fails with
   * `requestSent`, the code may be spent. Tokens are null for accounts without API ability.
   */
  async queryAuth(componentAccessToken: string, code: string, options?: CallOptions): Promise<Authorization> {
    const call = this.#componentCall('api_query_auth', componentAccessToken, { authorization_code: code });
    return this.#ask({ ...call, isRepeatable: false, onFreshConnection: true }, queryAuthAnswer, options);
  }

  /** Fetches an access token for an account. A refresh token in the answer replaces the one kept; null keeps it. */
  async authorizerToken(
    componentAccessToken: string,
    authorizerAppId: string,
    refreshToken: string,
    options?: CallOptions,
  ): Promise<AuthorizerToken> {
    const body = { authorizer_appid: authorizerAppId, authorizer_refresh_token: refreshToken };
    const call = this.#componentCall('api_authorizer_token', componentAccessToken, body);
    return this.#ask({ ...call, ...PATIENT }, authorizerTokenAnswer, options);
  }

  /** Reads what WeChat knows about an account that has authorized us. */
  async authorizerInfo(
    componentAccessToken: string,
    authorizerAppId: string,
    options?: CallOptions,
  ): Promise<AccountProfile> {
    const body = { authorizer_appid: authorizerAppId };
    const call = this.#componentCall('api_get_authorizer_info', componentAccessToken, body);
    const answer = accountProfileAnswer.refine(({ appId }) => appId === authorizerAppId, 'about another account');
    return this.#ask(call, answer, options);
  }

  /** Reads one page of the accounts that have authorized us, at most 500. WeChat promises no order. */
  async authorizerList(
    componentAccessToken: string,
    offset: number,
    count: number,
    options?: CallOptions,
  ): Promise<AuthorizerList> {
    const call = this.#componentCall('api_get_authorizer_list', componentAccessToken, { offset, count });
    return this.#ask(call, authorizerListAnswer, options);
  }

  /** Has WeChat push tickets again; tells whether it had stopped. */
  async startPushTicket(options?: CallOptions): Promise<TicketPushing> {
    // WeChat calls the secret differently here.
    const body = { component_appid: this.componentAppId, component_secret: this.#secret };
    const call = { api: 'api_start_push_ticket', path: `${COMPONENT}/api_start_push_ticket`, body } as const;
    return this.#ask(call, startPushTicketAnswer, options);
  }

  /** Closes every connection. Calls under way fail. */
  async close(): Promise<void> {
    await this.#http.close();
  }

  /** A call with the component's own token. The older name of the parameter is the one everybody sends. */
  #componentCall(api: WechatApi, componentAccessToken: string, fields: JsonObject): Call {
    const query = { component_access_token: componentAccessToken };
    return { api, path: `${COMPONENT}/${api}`, query, body: { component_appid: this.componentAppId, ...fields } };
  }

  async #ask<T>(call: Call, schema: z.ZodType<T>, { signal }: CallOptions = {}): Promise<T> {
    const { isRepeatable = true, attemptShare, ...rest } = call;
    const request: WechatRequest = { query: {}, ...rest };
    return this.#policy.run({ api: call.api, isRepeatable, attemptShare, signal }, async (timeoutMs) =>
      read(request, await this.#http.send(request, { timeoutMs, signal }), schema),
    );
  }
}

function read<T>(request: WechatRequest, answer: JsonObject, schema: z.ZodType<T>): T {
  const refusal = verdict.safeParse(answer);
  const errcode = refusal.data?.errcode;
  if (errcode) throw new WechatApiError(request.api, errcode, withoutSecrets(refusal.data?.errmsg ?? '', request));
  const parsed = schema.safeParse(answer);
  if (refusal.success && parsed.success) return parsed.data;
  // Only where it is wrong: what is there may be a token.
  const issues = [...(refusal.error?.issues ?? []), ...(parsed.error?.issues ?? [])].slice(0, 3);
  const detail = issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  throw new WechatUnavailable(request.api, 'malformed', { requestSent: true, detail });
}

/** Should WeChat ever quote what we sent, it goes no further. (Nothing secret is shorter than this; words could be.) */
function withoutSecrets(errmsg: string, { query, body }: WechatRequest): string {
  const sent = Object.entries({ ...query, ...body }).filter(([name]) => /token|secret|code|ticket/.test(name));
  const secrets = sent.flatMap(([, value]) => (typeof value === 'string' && value.length >= 8 ? [value] : []));
  return secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), errmsg);
}
