import { Pool } from 'pg';

export const INTAKE_POOL = Symbol('intake-pool');

/** Milliseconds to wait for a connection, and then for the statement: together well under the 4 s in which a push is answered. */
const CONNECT_TIMEOUT_MS = 1_500;
const STATEMENT_TIMEOUT_MS = 1_500;
const ANSWER_TIMEOUT_MS = 1_900;

/**
 * Connections for storing pushes and nothing else, so that no handler, however slow, can keep a push waiting. Its time-outs make
 * a statement fail early when the database is away; a statement that commits after its time-out is found again when repeated.
 */
export function createIntakePool(connectionString: string, onIdleError: (error: Error) => void): Pool {
  const pool = new Pool({
    connectionString,
    max: 8,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'wechat-intake',
  });
  // A connection that breaks while it is in use says so by the statement it fails; unheard, its event would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool.on('error', onIdleError);
}
