import { RateLimiter, type Rate } from './rate-limiter.js';

/** How often callers may come. */
export interface RateLimits {
  /** Every guarded request of one address; by default 2,000 at once and 400 a second. */
  readonly address: Rate;
  /** Those of them that were not let in; by default 200 at once and 10 a second. */
  readonly failures: Rate;
  /** Requests of one API key name or token subject; by default 1,000 at once and 200 a second. */
  readonly caller: Rate;
}

const DEFAULTS: RateLimits = {
  address: { burst: 2_000, perSecond: 400 },
  failures: { burst: 200, perSecond: 10 },
  caller: { burst: 1_000, perSecond: 200 },
};

/** The three limits a guarded request meets. */
export class AccessLimits {
  readonly address: RateLimiter;
  readonly failures: RateLimiter;
  readonly caller: RateLimiter;

  constructor(limits: Partial<RateLimits> = {}, now: () => number) {
    this.address = new RateLimiter({ ...DEFAULTS, ...limits }.address, now);
    this.failures = new RateLimiter({ ...DEFAULTS, ...limits }.failures, now);
    this.caller = new RateLimiter({ ...DEFAULTS, ...limits }.caller, now);
  }
}
