import { DataSource } from 'typeorm';
import { databaseOptions, hasPendingMigrations, migrate } from '../apps/api/src/database.js';
import { createDatabase, type TestDatabase } from './support/database.js';

describe('migrations', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await createDatabase();
    dataSource = await new DataSource(databaseOptions(database.url)).initialize();
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });
  const tables = () => dataSource.query<unknown[]>(`select from pg_class where relnamespace = 'public'::regnamespace`);

  it('are looked for without changing anything', async () => {
    expect(await hasPendingMigrations(dataSource)).toBe(true);
    expect(await tables()).toEqual([]);
  });

  it('are applied once by two who begin at the same time', async () => {
    const applied = await Promise.all([migrate(database.url), migrate(database.url)]);
    expect(applied.map(({ length }) => length).sort((a, b) => a - b)).toEqual([0, dataSource.migrations.length]);
    expect(await hasPendingMigrations(dataSource)).toBe(false);
  });
});
