import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Pool } from 'pg';
import { DataSource } from 'typeorm';
import { DELIVERY_POOL } from '../libs/events/src/delivery-pool.js';
import { INTAKE_POOL } from '../libs/events/src/intake-pool.js';
import { eventually } from './support/eventually.js';
import { TestPlatform } from './support/platform.js';

describe('connections to the database', () => {
  let t: TestPlatform;
  beforeAll(async () => {
    t = await TestPlatform.start({ ticket: false });
  });
  afterAll(() => t.stop());

  it('are at most as many for each process as operators are told', async () => {
    const told =
      /at most (\d+) connections: (\d+) for requests and handlers, (\d+) for pushes and (\d+) for deliveries[^]*and (\d+) that/;
    const page = readFileSync(path.resolve(__dirname, '../docs/operations.md'), 'utf8');
    const [sum, ...parts] = told.exec(page)!.slice(1).map(Number);
    const { master } = t.app.get(DataSource).driver as unknown as { master: Pool };
    const pools = [
      master,
      t.app.get<Pool>(INTAKE_POOL, { strict: false }),
      t.app.get<Pool>(DELIVERY_POOL, { strict: false }),
    ];
    const listening = `select from pg_stat_activity where datname = current_database() and application_name = 'wechat-listen'`;
    await eventually(async () => expect(await t.query(listening)).toHaveLength(parts.at(-1)!));
    expect(pools.map(({ options }) => options.max)).toEqual(parts.slice(0, -1));
    expect(parts.reduce((total, part) => total + part)).toBe(sum);
  });
});
