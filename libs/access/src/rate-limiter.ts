import { isIPv6 } from 'node:net';

/** So many at once, and so many a second after that. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  level: number;
  at: number;
}

/** More callers than this at the same time share nothing but bad luck: the one not seen for longest is forgotten. */
const MAX_BUCKETS = 10_000;
const LONGEST_WAIT_SECONDS = 3_600;

/** Token buckets by name, at most 10,000 of them whatever callers do. */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();

  constructor(
    private readonly rate: Rate,
    private readonly now: () => number,
  ) {}

  /** Takes one from the bucket of `name`; answers 0, or how many seconds to wait when it is empty. */
  take(name: string): number {
    const { burst, perSecond } = this.rate;
    const now = this.now();
    const known = this.#buckets.get(name);
    const filled = known ? known.level + (Math.max(0, now - known.at) / 1000) * perSecond : burst;
    const level = Math.min(burst, filled);
    const isAllowed = level >= 1;
    // Deleted first, so that the map stays in order of last use.
    this.#buckets.delete(name);
    this.#buckets.set(name, { level: isAllowed ? level - 1 : level, at: now });
    if (this.#buckets.size > MAX_BUCKETS) this.#forgetOldest();
    return isAllowed ? 0 : Math.min(LONGEST_WAIT_SECONDS, Math.ceil((1 - level) / perSecond));
  }

  get size(): number {
    return this.#buckets.size;
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** What counts as one address: of IPv6 the first 64 bits, since whoever has one of those has them all. */
export function addressGroup(ip: string): string {
  const [, bracketed, dotted] = /^(?:\[(.*)\]|([\d.]+))(?::\d+)?$/.exec(ip) ?? [];
  if (bracketed !== undefined) return addressGroup(bracketed);
  if (dotted !== undefined) return dotted;
  const mapped = /^::ffff:([\d.]+)$/i.exec(ip)?.[1];
  if (mapped || !isIPv6(ip)) return mapped ?? ip;
  const [head = '', tail] = ip.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const all = [...groups, ...Array<string>(missing).fill('0'), ...(tail ? tail.split(':') : [])];
  return `${all
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
