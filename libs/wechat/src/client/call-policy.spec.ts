import { CallPolicy } from './call-policy.js';
import { WechatUnavailable } from './wechat-errors.js';

const TOTAL_MS = 10_000;
const API = 'api_authorizer_token';

/** Fails when its time is up, as a connection that hangs. */
const hang = (timeoutMs: number) =>
  new Promise<never>((_, reject) => {
    setTimeout(() => reject(new WechatUnavailable(API, 'timeout', { requestSent: true })), timeoutMs);
  });

describe('CallPolicy', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it.each([
    { isRepeatable: true, attempts: 2 },
    { isRepeatable: true, attemptShare: 0.2, attempts: 3 },
    { isRepeatable: true, attemptShare: 0.9, attempts: 1 },
    { isRepeatable: false, attempts: 1 },
  ])('gives a call that hangs its total and no more: %j', async (what) => {
    const { attempts, ...call } = what;
    const began = performance.now();
    const attempt = jest.fn(hang);
    let tookMs: number | undefined;
    const ended = new CallPolicy(TOTAL_MS, 5_000)
      .run({ api: API, ...call }, attempt)
      .catch(() => (tookMs = performance.now() - began));
    await jest.advanceTimersByTimeAsync(3 * TOTAL_MS);
    await ended;
    expect(tookMs).toBeLessThanOrEqual(TOTAL_MS);
    expect(attempt).toHaveBeenCalledTimes(attempts);
  });
});
