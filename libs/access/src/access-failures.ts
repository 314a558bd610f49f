import { Logger } from '@nestjs/common';
import { type AccessProblemCode } from './access.errors.js';

/** Why requests were turned away: finer than what callers are told. */
const FAILURE_REASONS = [
  'missing',
  'malformed',
  'unknown_key',
  'invalid_token',
  'no_role',
  'role_too_low',
  'route_undeclared',
  'rate_limited',
  'provider_unavailable',
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** At most one line per reason in this time, so that an attack does not fill the disk. */
const LOG_EVERY_MS = 10_000;

/** Counts the requests that were turned away, and mentions them in the log now and then. */
export class AccessFailures {
  readonly #logger = new Logger('Access');
  readonly #counts = new Map<FailureReason, number>(FAILURE_REASONS.map((reason) => [reason, 0]));
  readonly #logged = new Map<FailureReason, { at: number; count: number }>();

  constructor(private readonly now: () => number) {}

  /** `where` is the route's pattern, never the URL. */
  count(reason: FailureReason, code: AccessProblemCode, address: string, where: string): void {
    const count = this.countOf(reason) + 1;
    this.#counts.set(reason, count);
    const last = this.#logged.get(reason) ?? { at: -Infinity, count: 0 };
    if (this.now() - last.at < LOG_EVERY_MS) return;
    this.#logged.set(reason, { at: this.now(), count });
    const others = count - last.count - 1;
    this.#logger.warn(`${code} (${reason}) for ${address} at ${where}${others > 0 ? ` and ${others} more since` : ''}`);
  }

  countOf(reason: FailureReason): number {
    return this.#counts.get(reason) ?? 0;
  }

  /** Every reason with its count since the start. */
  snapshot(): Readonly<Record<FailureReason, number>> {
    return Object.fromEntries(this.#counts) as Record<FailureReason, number>;
  }
}
