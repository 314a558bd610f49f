import { createHash } from 'node:crypto';
import { z } from 'zod';
import { InvalidRequest } from './invalid-request.js';

const NOT_A_CURSOR = 'must be the nextCursor of an earlier answer';
const OF_ANOTHER_LIST = 'must be the nextCursor of an earlier answer of this list, with the same filters';

/** As much of a hash as a mistake needs to be noticed; there is nothing to be gained by making one up. */
const MARK_LENGTH = 12;

/** A cursor as a query has it: text that callers hand back and should not read. */
export const cursor = z
  .string()
  .max(4_000)
  .describe('The nextCursor of the page before, with the same filters')
  .transform((text, context): string[] => {
    const parts = readParts(text);
    if (parts) return parts;
    context.addIssue({ code: 'custom', message: NOT_A_CURSOR });
    return z.NEVER;
  });

/** A list that is read page by page. A place in it is some texts, each of which fits its pattern. */
export class PagedList {
  private readonly place: readonly RegExp[];

  constructor(
    private readonly name: string,
    ...place: readonly RegExp[]
  ) {
    this.place = place;
  }

  /**
   * The part of the list that fits the filter, from where the cursor points to.
   *
   * @throws InvalidRequest for a cursor of another list, or of this one with another filter
   */
  of(filter: object, cursor: readonly string[] | undefined): Pages {
    const mark = markOf(this.name, filter);
    if (cursor === undefined) return new Pages(mark, undefined);
    const [given, ...after] = cursor;
    const isPlace = after.length === this.place.length && this.place.every((part, at) => part.test(after[at]!));
    if (given === mark && isPlace) return new Pages(mark, after);
    throw new InvalidRequest([{ path: ['cursor'], message: OF_ANOTHER_LIST }]);
  }
}

class Pages {
  constructor(
    private readonly mark: string,
    /** The place to go on after; undefined for the first page. */
    readonly after: readonly string[] | undefined,
  ) {}

  /** One page: `nextCursor` is null on the last. Ask the source for one row more than `limit`. */
  answer<R, T>(rows: readonly R[], limit: number, item: (row: R) => T, place: (row: R) => string[]) {
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return { items: shown.map(item), nextCursor: rows.length > limit && last ? this.cursorAt(place(last)) : null };
  }

  cursorAt(place: readonly string[]): string {
    return Buffer.from(JSON.stringify([this.mark, ...place])).toString('base64url');
  }
}

function markOf(name: string, filter: object): string {
  const set = Object.entries(filter).filter(([, value]) => value !== undefined);
  const text = JSON.stringify([name, set.sort(([a], [b]) => (a < b ? -1 : 1))]);
  return createHash('sha256').update(text).digest('base64url').slice(0, MARK_LENGTH);
}

/** A whole number as a query has it: digits and nothing else. */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .meta({ override: { type: 'integer', minimum: min, maximum: max } });
}

export const limit = wholeNumber(1, 200)
  .default(50)
  .meta({ override: { default: 50 } })
  .describe('How many at most');

/** A moment as a query has it. */
export const instant = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 time such as 2026-11-21T10:00:00Z' })
  .meta({ override: { type: 'string', format: 'date-time' } })
  .pipe(z.coerce.date());

/** A bigint that PostgreSQL can read. */
export const BIGINT = /^\d{1,18}$/;

/** Milliseconds since 1970, of a time in our days. */
export const MILLISECONDS = /^\d{13}$/;

/** Text that PostgreSQL can store. */
export const TEXT = /^[^\0]{1,400}$/u;

function readParts(text: string): string[] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(parts) && parts.every((part) => typeof part === 'string') ? parts : null;
  } catch {
    return null;
  }
}
