import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleAll,
  handleWhen,
  retry,
} from 'cockatiel';
import { type WechatApi } from './errcodes.js';
import { WechatApiError, WechatUnavailable } from './wechat-errors.js';

/** How many more times a call is made that may be repeated. */
const REPEATS = 2;
/** This many calls in a row that WeChat left hanging, and it is left alone. */
const HANGING_CALLS = 3;

interface Call {
  readonly api: WechatApi;
  /** Whether the call may be made again although WeChat may have seen it. */
  readonly isRepeatable: boolean;
  /** How much of the total time one attempt of a repeatable call may take; half by default. */
  readonly attemptShare?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * How often and how long WeChat is asked.
 *
 * - A call takes at most `totalTimeoutMs`, repeats and pauses included. One attempt of a repeatable call takes at most half of that (or
 *   what the call itself allows), so that one hanging connection leaves time for another; pauses grow from a fiftieth to at most a tenth of it, with jitter.
 * - After three calls in a row that were left hanging, the next ones fail at once for `pauseAfterHangingMs`, then one goes ahead as a
 *   scout. Callers hold locks and connections while they wait: an outage of WeChat must not become one of ours. Failures that come
 *   quickly need no such protection and do not count.
 */
export class CallPolicy {
  readonly #breaker;

  constructor(
    private readonly totalTimeoutMs: number,
    private readonly pauseAfterHangingMs: number,
  ) {
    this.#breaker = circuitBreaker(handleAll, {
      halfOpenAfter: pauseAfterHangingMs,
      breaker: new ConsecutiveBreaker(HANGING_CALLS),
    });
  }

  /** Runs `attempt` with the milliseconds it may take, again where that is safe and may help. */
  async run<T>(call: Call, attempt: (timeoutMs: number) => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.totalTimeoutMs;
    const longestPause = this.totalTimeoutMs / 10;
    const mayRepeat = (error: Error) =>
      deadline - performance.now() > 1.5 * longestPause && !call.signal?.aborted && isWorthRepeating(error, call);
    const backoff = new ExponentialBackoff({ initialDelay: this.totalTimeoutMs / 50, maxDelay: longestPause });
    return retry(handleWhen(mayRepeat), { maxAttempts: REPEATS, backoff }).execute(() => {
      const left = Math.max(1, deadline - performance.now());
      const timeoutMs = call.isRepeatable ? Math.min(left, this.totalTimeoutMs * (call.attemptShare ?? 0.5)) : left;
      return this.#unlessHanging(call.api, () => attempt(timeoutMs));
    });
  }

  /** Only hanging calls reach the breaker as failures: an answer of any kind shows that WeChat is there. */
  async #unlessHanging<T>(api: WechatApi, attempt: () => Promise<T>): Promise<T> {
    // While the scout is out, the breaker would have the others wait for it.
    if (this.#breaker.state === CircuitState.HalfOpen) throw this.#leftAlone(api);
    const outcome = await this.#breaker
      .execute(async () => {
        try {
          return { value: await attempt() };
        } catch (error) {
          if (error instanceof WechatUnavailable && error.kind === 'timeout') throw error;
          return { error };
        }
      })
      .catch((error: unknown) => ({ error: error instanceof BrokenCircuitError ? this.#leftAlone(api) : error }));
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  #leftAlone(api: WechatApi): WechatUnavailable {
    return new WechatUnavailable(api, 'circuit_open', { requestSent: false, retryAfterMs: this.pauseAfterHangingMs });
  }
}

function isWorthRepeating(error: Error, { isRepeatable }: Call): boolean {
  if (error instanceof WechatApiError) return isRepeatable && error.reaction === 'retry';
  if (!(error instanceof WechatUnavailable)) return false;
  // Who asks to be left alone for a while is left alone; the caller knows for how long.
  if (error.retryAfterMs !== undefined || (error.requestSent && !isRepeatable)) return false;
  switch (error.kind) {
    case 'connect':
    case 'timeout':
    case 'malformed':
      return true;
    case 'http':
      return (error.status ?? 500) >= 500 || error.status === 429;
    case 'redirect':
    case 'circuit_open':
    case 'aborted':
      return false;
  }
}
