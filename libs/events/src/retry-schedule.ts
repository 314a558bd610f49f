const FIRST_DELAY_SECONDS = 1;
const GROWTH = 3;
const LONGEST_DELAY_SECONDS = 3600;
const DAY_SECONDS = 86_400;

/** How many attempts fit into a day of the schedule: the last one that fails makes a delivery dead. */
export const MAX_ATTEMPTS = countAttempts();

/**
 * Seconds to wait after the given failed attempt (counted from 1): 1, 3, 9, … and at most an hour.
 *
 * Up to a tenth is added at random, so that what failed together does not come back together; the first retry is exact.
 */
export function retryDelaySeconds(attempt: number, random: () => number = Math.random): number {
  const delay = plainDelay(attempt);
  return attempt === 1 ? delay : Math.min(LONGEST_DELAY_SECONDS, delay * (1 + random() / 10));
}

/**
 * Seconds to wait by the number of the attempt, from 1, when its process ended: at once the first time, since processes end for many
 * reasons, and then as after a failure, since an event may be what ends them.
 */
export function takeOverDelays(retryDelay: (attempt: number) => number): number[] {
  return Array.from({ length: MAX_ATTEMPTS }, (_, index) => (index === 0 ? 0 : retryDelay(index + 1)));
}

function plainDelay(attempt: number): number {
  return Math.min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * GROWTH ** (attempt - 1));
}

function countAttempts(): number {
  let attempts = 1;
  for (let elapsed = plainDelay(1); elapsed <= DAY_SECONDS; elapsed += plainDelay(attempts)) attempts += 1;
  return attempts;
}
