import { ERRCODES, reactionTo, type Reaction, type WechatApi } from './errcodes.js';

/** WeChat understood the call and refused it. */
export class WechatApiError extends Error {
  /** What to do about it, decided by errcode and API. */
  readonly reaction: Reaction;
  /** WeChat's own words without their suffixes, shortened, with everything we sent in confidence blanked. */
  readonly errmsg: string;
  /** The number under which WeChat keeps the request. */
  readonly rid: string | null;
  /** The address of ours that is missing in a whitelist (61004 and its like name it). */
  readonly requestIp: string | null;

  constructor(
    readonly api: WechatApi,
    readonly errcode: number,
    errmsg: string,
  ) {
    super(`${api} answered ${errcode} (${ERRCODES.get(errcode)?.name ?? 'not in our table'})`);
    this.name = 'WechatApiError';
    this.reaction = reactionTo(errcode, api);
    this.errmsg = errmsg.replace(/\s+(?:rid:|hint:).*$/s, '').slice(0, 200);
    this.rid = /\brid: ([\w-]{1,64})/.exec(errmsg)?.[1] ?? null;
    this.requestIp = /(?:requestIP:|invalid ip) *([0-9A-Fa-f.:*]{3,45})/.exec(errmsg)?.[1] ?? null;
  }

  /** What an operator can do about it. */
  get advice(): string {
    return (
      ERRCODES.get(this.errcode)?.advice ?? "The errcode is not in our table; look it up in WeChat's documentation"
    );
  }
}

const SENTENCES = {
  connect: 'there was no connection, or it broke',
  timeout: 'there was no answer in time',
  http: 'the HTTP status was not a success',
  redirect: 'the answer was a redirect, which WeChat never sends',
  malformed: 'the answer was not what WeChat documents',
  circuit_open: 'it was not asked, because it has just left several calls hanging',
  aborted: 'the caller gave up',
} as const;

/** Why there is no answer. `connect` also covers a connection that broke in the middle of a call. */
export type UnavailableKind = keyof typeof SENTENCES;

export interface UnavailableFacts {
  /** False only where it is certain that WeChat has not seen the request. */
  readonly requestSent: boolean;
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly detail?: string;
  readonly cause?: unknown;
}

/** There is no answer of WeChat to the call, and so nothing is known about its effect unless `requestSent` is false. */
export class WechatUnavailable extends Error {
  readonly requestSent: boolean;
  /** The HTTP status, where there was one. */
  readonly status?: number;
  /** How long WeChat (or our own caution) asks to be left alone. */
  readonly retryAfterMs?: number;

  constructor(
    readonly api: WechatApi,
    readonly kind: UnavailableKind,
    { requestSent, status, retryAfterMs, detail, cause }: UnavailableFacts,
  ) {
    super(`${api}: ${SENTENCES[kind]}${detail ? ` (${detail})` : ''}`, cause === undefined ? undefined : { cause });
    this.name = 'WechatUnavailable';
    this.requestSent = requestSent;
    if (status !== undefined) this.status = status;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}
