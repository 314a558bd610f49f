import { type IncomingHttpHeaders } from 'node:http';
import { Pool, type Dispatcher } from 'undici';
import { type WechatApi } from './errcodes.js';
import { type JsonObject } from './wechat-answers.js';
import { parseAnswer } from './parse-answer.js';
import { WechatUnavailable, type UnavailableFacts, type UnavailableKind } from './wechat-errors.js';

/** One HTTP request to WeChat. Everything in `query` and `body` counts as confidential. */
export interface WechatRequest {
  readonly api: WechatApi;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  /** Over a connection nobody has used: one kept alive may be closing just now, and the request would be lost with it. */
  readonly onFreshConnection?: boolean;
}

export interface WechatHttpOptions {
  readonly baseUrl: string;
  readonly connectTimeoutMs: number;
  readonly maxAnswerBytes: number;
}

interface Limits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** At most this many calls are under way at once; more wait for their turn within their own time. */
const CONNECTIONS = 20;

const KIND_BY_CODE = new Map<unknown, UnavailableKind>([
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_DESTROYED', 'aborted'],
]);

/** Sends one request and collects its answer: no repeating, no redirects, a bounded time and size. */
export class WechatHttp {
  readonly #kept: Pool;
  readonly #fresh: Pool;
  readonly #prefix: string;
  readonly #maxAnswerBytes: number;

  constructor({ baseUrl, connectTimeoutMs, maxAnswerBytes }: WechatHttpOptions) {
    const url = new URL(baseUrl);
    // Our own timer bounds a call as a whole, so that undici's timers for its parts are off.
    const options = { connections: CONNECTIONS, connectTimeout: connectTimeoutMs, headersTimeout: 0, bodyTimeout: 0 };
    this.#kept = new Pool(url.origin, options);
    this.#fresh = new Pool(url.origin, options);
    this.#prefix = url.pathname.replace(/\/$/, '');
    this.#maxAnswerBytes = maxAnswerBytes;
  }

  /** @throws WechatUnavailable when no JSON object came back with a status of success. */
  async send(request: WechatRequest, limits: Limits): Promise<JsonObject> {
    const exchange = new Exchange(request.api, this.#maxAnswerBytes);
    const stopWatching = exchange.watch(limits);
    try {
      const pool = request.onFreshConnection ? this.#fresh : this.#kept;
      pool.dispatch(this.#toDispatch(request), exchange);
      const bytes = await exchange.answer;
      const answer = parseAnswer(bytes);
      if (!answer) throw exchange.unavailable('malformed', { detail: 'not a JSON object' });
      return answer;
    } finally {
      stopWatching();
    }
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    await Promise.all([this.#kept.destroy(), this.#fresh.destroy()]);
  }

  #toDispatch({ path, query, body, onFreshConnection }: WechatRequest): Dispatcher.DispatchOptions {
    return {
      method: 'POST',
      path: this.#prefix + path,
      query,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        'content-type': 'application/json; charset=utf-8',
      },
      body: JSON.stringify(body),
      ...(onFreshConnection && { reset: true }),
    };
  }
}

/** One request on its way: remembers whether it has left us, and settles exactly once. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Buffer>;
  #resolve: (bytes: Buffer) => void;
  #reject: (error: WechatUnavailable) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #failure: WechatUnavailable | undefined;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(
    private readonly api: WechatApi,
    private readonly maxBytes: number,
  ) {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A failure before anybody awaits the answer must not count as unhandled.
    this.answer.catch(() => undefined);
  }

  /** Ends the exchange when its time is up or its caller gives up; answers how to stop watching. */
  watch({ timeoutMs, signal }: Limits): () => void {
    const onAbort = () =>
      this.#fail(this.unavailable(isTimeout(signal) ? 'timeout' : 'aborted', { cause: signal?.reason }));
    const timer = setTimeout(() => this.#fail(this.unavailable('timeout')), timeoutMs);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    return () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  }

  unavailable(kind: UnavailableKind, facts: Omit<UnavailableFacts, 'requestSent'> = {}): WechatUnavailable {
    return new WechatUnavailable(this.api, kind, { requestSent: this.#controller !== undefined, ...facts });
  }

  /** undici calls this when it has a connection and before it writes the first byte. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#failure) return controller.abort(this.#failure);
    this.#controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || (status >= 200 && status < 300)) return;
    const kind = status < 400 ? 'redirect' : 'http';
    const retryAfterMs = retryAfter(headers['retry-after']);
    this.#fail(
      this.unavailable(kind, { status, detail: `status ${status}`, ...(retryAfterMs !== null && { retryAfterMs }) }),
    );
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.maxBytes)
      return this.#fail(this.unavailable('malformed', { detail: `over ${this.maxBytes} bytes` }));
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#resolve(Buffer.concat(this.#chunks));
  }

  onResponseError(_: Dispatcher.DispatchController, cause: Error): void {
    this.#fail(this.unavailable(KIND_BY_CODE.get('code' in cause ? cause.code : undefined) ?? 'connect', { cause }));
  }

  #fail(failure: WechatUnavailable): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#chunks = [];
    this.#reject(failure);
    this.#controller?.abort(failure);
  }
}

/** A caller's own time-out (`AbortSignal.timeout`): WeChat left it hanging as well. */
function isTimeout(signal: AbortSignal | undefined): boolean {
  return (signal?.reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
}

/** `Retry-After` in seconds or as a date, at most an hour. */
function retryAfter(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), 3_600_000);
}
