/** What Node says when there is no connection: refused, broken, not made in time, no way there. */
const OF_NODE = /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|E(HOST|NET)(UNREACH|DOWN))$/;
/** What PostgreSQL says: no connection, shutting down, too many, too slow. */
const OF_POSTGRES = /^(08\w{3}|57P0\d|53300|55P03|57014|40P01)$/;
/** What the driver says without a code, and what TypeORM says in a transaction whose connection broke while nothing was asked of it. */
const SENTENCES = new RegExp(
  [
    '^timeout exceeded when trying to connect',
    '^Connection terminated',
    '^Query read timeout',
    '^Client was closed',
    '^Client has encountered a connection error',
    '^Query runner already released',
    '^Database connection provided by a query runner was already released',
  ].join('|'),
);

/** undefined_table, undefined_column, undefined_function */
const OF_ANOTHER_SCHEMA = /^(42P01|42703|42883)$/;
const LOCK_NOT_AVAILABLE = '55P03';

/** Whether a statement failed because the database was away or too slow, so that the same request may succeed later. */
export function isDatabaseAway(error: unknown): boolean {
  const { code, message } = ofTheDriver(error);
  const isCode = typeof code === 'string' && (OF_NODE.test(code) || OF_POSTGRES.test(code));
  return isCode || (typeof message === 'string' && SENTENCES.test(message));
}

/** Whether a table, column or function is missing that this program knows: migrations are pending, or those of a newer program ran. */
export function isSchemaAnother(error: unknown): boolean {
  const { code } = ofTheDriver(error);
  return typeof code === 'string' && OF_ANOTHER_SCHEMA.test(code);
}

/** Whether a statement waited for its whole `lock_timeout` for a row that somebody else holds. */
export function isLockTimeout(error: unknown): boolean {
  return ofTheDriver(error).code === LOCK_NOT_AVAILABLE;
}

/** TypeORM wraps what the driver says. */
function ofTheDriver(error: unknown): { code?: unknown; message?: unknown } {
  const { driverError } = error as { driverError?: unknown };
  return driverError instanceof Error && driverError !== error ? ofTheDriver(driverError) : (error as Error);
}
