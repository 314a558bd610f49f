import { ACCOUNT_TYPES, type AccountType, type Attention, ATTENTIONS } from '@app/events';
import { AUTHORIZER_STATUSES, type AuthorizerStatus } from './authorizer.entity.js';

/** At most this many candidates are looked at for one page, so that no filter can make a page slow. */
const MAX_CANDIDATES = 1_000;

/** Which authorizers are asked for, and how many of them at a time. */
export interface AuthorizerFilter {
  readonly status?: AuthorizerStatus | undefined;
  readonly accountType?: AccountType | undefined;
  /** The id of a permission set that is granted. */
  readonly permission?: number | undefined;
  readonly tenantId?: string | undefined;
  readonly attention?: Attention | undefined;
  /** The beginning of the nick name, the principal, the appid or the user name; letter case does not matter. */
  readonly q?: string | undefined;
  /** The `next` of the page before; it fits only the filter it came with. */
  readonly after?: readonly string[] | undefined;
  readonly limit: number;
}

/** One page of ids as a statement. Its rows: `id`, `place` to continue after, and `fits`. */
export interface PageStatement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** How many rows it answers where there are more: a full page and one, or all that may be looked at. */
  readonly rows: number;
}

interface Selection extends AuthorizerFilter {
  readonly componentAppId: string;
}

/** An authorizer that may be on the page. */
export interface Candidate {
  readonly id: string;
  readonly place: string[];
  readonly fits: boolean;
}

/** Which candidates make the page, and where the next one begins; null where this is the last. */
export function pageOfCandidates(
  candidates: readonly Candidate[],
  { rows }: PageStatement,
  limit: number,
): { ids: string[]; next: string[] | null } {
  const fitting = candidates.filter(({ fits }) => fits);
  const page = fitting.slice(0, limit);
  const last = fitting.length > limit ? page.at(-1) : candidates.length === rows ? candidates.at(-1) : undefined;
  return { ids: page.map(({ id }) => id), next: last?.place ?? null };
}

/**
 * Finds the index that has a page's rows one after the other, in the order of the list: by name for a search, else the newest first.
 *
 * Status, account type and attention are one number in every index (`segment`). A page takes the first rows of each segment asked for
 * and merges them: at most 96 short scans, whatever the size of the table. A permission together with a search is the one combination
 * without an index of its own, and is looked for among so many candidates.
 */
export function pageStatement({ componentAppId, limit, after, ...filter }: Selection): PageStatement {
  const { q, permission, tenantId } = filter;
  const isResidual = permission !== undefined && q !== undefined;
  const rows = isResidual ? Math.max(MAX_CANDIDATES, limit + 1) : limit + 1;
  const values: unknown[] = [componentAppId, rows];
  const add = (value: unknown) => `$${values.push(value)}`;
  const source = q === undefined ? byId(filter, after, add) : byTerm(q, tenantId, after, add);
  const segments = isAnySegment(filter) && source.isWhole ? null : add(segmentsOf(filter));
  const granted = isResidual
    ? `(select a.permission_ids @> array[${add(permission)}::int] from authorizer a where a.id = candidate.id)`
    : 'true';
  const text = `
    with candidate as materialized (${segments === null ? source.scan('') : merged(source, segments)})
    select candidate.id::text, ${source.place} as place, ${granted} as fits
    from candidate order by ${source.order('candidate')}`;
  return { text, values, rows };
}

interface Source {
  /** Reads rows in order, of one segment where a condition on it is given. */
  readonly scan: (segment: string) => string;
  readonly order: (alias: string) => string;
  readonly place: string;
  /** Whether an index has the order across all segments. */
  readonly isWhole: boolean;
}

function merged({ scan, order }: Source, segments: string): string {
  return `
    select part.* from unnest(${segments}::smallint[]) as wanted(segment)
    cross join lateral (${scan('and s.segment = wanted.segment')}) as part
    order by ${order('part')} limit $2`;
}

type Add = (value: unknown) => string;

function byId(
  { permission, tenantId }: Pick<Selection, 'permission' | 'tenantId'>,
  after: readonly string[] | undefined,
  add: Add,
): Source {
  const isByPermission = permission !== undefined;
  // Only the indexes of the list hold the negative id. By the plain one PostgreSQL could take uq_authorizer_id, and throw away a million
  // rows to find the few of a segment.
  const [table, id, newestFirst, olderThan] = isByPermission
    ? ['authorizer_permission', 'authorizer_id', 's.authorizer_id desc', 's.authorizer_id < ']
    : ['authorizer', 'id', '-s.id', '-s.id > -'];
  const conditions = ['s.component_app_id = $1'];
  if (isByPermission) conditions.push(`s.permission_id = ${add(permission)}`);
  if (tenantId !== undefined) conditions.push(`s.tenant_id = ${add(tenantId)}`);
  if (after) conditions.push(`${olderThan}${add(after[0])}::bigint`);
  return {
    scan: (segment) =>
      `select s.${id} as id from ${table} s where ${conditions.join(' and ')} ${segment} order by ${newestFirst} limit $2`,
    order: (alias) => `${alias}.id desc`,
    place: 'array[candidate.id::text]',
    isWhole: !isByPermission && tenantId === undefined,
  };
}

/** An account whose names fit more than once is listed where the first of them stands. */
function byTerm(q: string, tenantId: string | undefined, after: readonly string[] | undefined, add: Add): Source {
  const prefix = `search_term(${add(q)})`;
  const conditions = [
    's.component_app_id = $1',
    `s.term >= ${prefix}`,
    // The last code point there is: everything that begins with the prefix lies before it.
    `s.term < ${prefix} || U&'\\+10FFFF'`,
    `(s.previous_term is null or s.previous_term < ${prefix})`,
  ];
  if (tenantId !== undefined) conditions.push(`s.tenant_id = ${add(tenantId)}`);
  if (after) conditions.push(`(s.term, s.authorizer_id) > (${add(after[0])}, ${add(after[1])}::bigint)`);
  return {
    scan: (segment) =>
      `select s.authorizer_id as id, s.term from authorizer_term s where ${conditions.join(' and ')} ${segment}
       order by s.term, s.authorizer_id limit $2`,
    order: (alias) => `${alias}.term, ${alias}.id`,
    place: 'array[candidate.term, candidate.id::text]',
    isWhole: false,
  };
}

type Segmented = Pick<AuthorizerFilter, 'status' | 'accountType' | 'attention'>;

function isAnySegment({ status, accountType, attention }: Segmented): boolean {
  return status === undefined && accountType === undefined && attention === undefined;
}

/** Every value of `authorizer.segment` that fits. */
function segmentsOf({ status, accountType, attention }: Segmented): number[] {
  const [, ...statuses] = codes(AUTHORIZER_STATUSES, undefined);
  return (status === undefined ? statuses : codes(AUTHORIZER_STATUSES, status)).flatMap((s) =>
    codes(ACCOUNT_TYPES, accountType).flatMap((t) => codes(ATTENTIONS, attention).map((a) => 256 * s + 16 * t + a)),
  );
}

/** The status of whoever is in the segment. */
export function statusOfSegment(segment: number): AuthorizerStatus {
  return AUTHORIZER_STATUSES[(segment >> 8) - 1]!;
}

/** As the column's function counts; 0 stands for null, and for a value that the function does not know yet. */
function codes<T>(values: readonly T[], wanted: T | undefined): number[] {
  return wanted === undefined ? [0, ...values.map((_, index) => index + 1)] : [values.indexOf(wanted) + 1];
}
