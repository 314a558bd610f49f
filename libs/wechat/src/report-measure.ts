/** How many reports count at once, and how often one more does (milliseconds). */
const AT_ONCE = 5;
const EVERY_MS = 60 * 1000;

/**
 * Whether one more report may end a token: an API that calls every token invalid would use up WeChat's daily quota of new ones. Takes
 * until when reports have been spent so far, and answers until when they then are; null where the measure is full.
 */
export function spendReport(spentUntil: Date | null, now = Date.now()): Date | null {
  const from = Math.max(now, spentUntil?.getTime() ?? 0);
  return from - now > (AT_ONCE - 1) * EVERY_MS ? null : new Date(from + EVERY_MS);
}
