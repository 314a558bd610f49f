import { authorizerEntities, authorizerMigrations } from '@app/authorizer';
import { eventsMigrations } from '@app/events';
import { exampleCrmMigrations } from '@app/example-crm';
import { wechatEntities, wechatMigrations } from '@app/wechat';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { SteadyClient } from './steady-client.js';

/** Any number, the same in every process: who holds it applies the migrations. */
const MIGRATION_LOCK = 7_301_964;

/**
 * A statement that nobody gave longer ends after this. Whoever waits for a row that is held while WeChat is asked gives it longer,
 * by `set local statement_timeout`.
 */
const STATEMENT_TIMEOUT_MS = 5_000;

/** How this application reaches PostgreSQL. Time-outs are milliseconds. */
export function databaseOptions(url: string): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    entities: [...wechatEntities, ...authorizerEntities],
    migrations: [...eventsMigrations, ...wechatMigrations, ...authorizerMigrations, ...exampleCrmMigrations],
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
    poolSize: 20,
    applicationName: 'wechat-authorization',
    extra: {
      Client: SteadyClient,
      connectionTimeoutMillis: 3_000,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: 60_000,
      keepAlive: true,
      // No statement of ours runs long enough to be worth compiling, however long its plan expects to.
      options: '-c jit=off',
    },
  };
}

/** Whether `migrate` has anything to do. */
export async function hasPendingMigrations(dataSource: DataSource): Promise<boolean> {
  // Where its table is missing TypeORM would make it in order to look, which two processes cannot do at once.
  const [row] = await dataSource.query<[{ table: string | null }]>(`select to_regclass('migration')::text as table`);
  return row.table === null || dataSource.showMigrations();
}

/** Applies what is pending, one process at a time; answers the names of what was applied. */
export async function migrate(url: string): Promise<string[]> {
  const options = databaseOptions(url);
  const unhurried = {
    ...(options.extra as object),
    statement_timeout: 0,
    options: '-c jit=off -c statement_timeout=0',
  };
  const dataSource = await new DataSource({ ...options, extra: unhurried }).initialize();
  try {
    const runner = dataSource.createQueryRunner();
    await runner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const applied = await dataSource.runMigrations();
    await runner.release();
    return applied.map(({ name }) => name);
  } finally {
    await dataSource.destroy();
  }
}
