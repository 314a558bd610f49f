import { Pool } from 'pg';

export const DELIVERY_POOL = Symbol('delivery-pool');

const CONNECT_TIMEOUT_MS = 3_000;
const STATEMENT_TIMEOUT_MS = 10_000;

/**
 * Every statement finds its few rows by an index, so each is planned once for a connection. Planning the claim again for each set of
 * parameters was seen to cost four times its execution, as soon as the tables had a history. And a plan made while they were empty
 * must not stay with reading them whole.
 */
const INDEXES_ONLY =
  '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off';

/**
 * Connections for the bookkeeping of deliveries and nothing else: handlers that use up all others cannot keep a lease from being
 * renewed, which would let a second process take over what is still being handled.
 */
export function createDeliveryPool(connectionString: string, onIdleError: (error: Error) => void): Pool {
  const pool = new Pool({
    connectionString,
    max: 6,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    options: INDEXES_ONLY,
    application_name: 'wechat-deliveries',
  });
  // A connection that breaks while it is in use says so by the statement it fails; unheard, its event would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool.on('error', onIdleError);
}
