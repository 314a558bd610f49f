import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { Pool } from 'pg';
import { migrate } from '../apps/api/src/database.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { DeliveryTrial, schedule } from './support/delivery-schedule.js';

/** DELIVERY_SCHEDULES=2000 npx jest test/delivery-properties.e2e tries more of them; DELIVERY_SEED repeats a run. */
const SCHEDULES = Number(process.env.DELIVERY_SCHEDULES ?? 40);
const SEED = process.env.DELIVERY_SEED ? { seed: Number(process.env.DELIVERY_SEED) } : {};

describe('deliveries by two relays, with failures, crashes, cut connections, lost answers and subscribers that come and go at random', () => {
  let database: TestDatabase;
  let control: Pool;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createDatabase();
    await migrate(database.url);
    control = new Pool({ connectionString: database.url });
    await control.query('create table effect (event_id uuid not null, subscriber text not null)');
  });
  afterAll(async () => {
    await control.end();
    await database.drop();
  });

  it(
    `are never lost, never two at a time in a line, and never out of order (${SCHEDULES} schedules)`,
    async () => {
      await fc.assert(
        fc.asyncProperty(schedule, async (plan) => {
          const trial = new DeliveryTrial(database.url, control, plan);
          await trial.run();
          expect(trial.violations).toEqual([]);
        }),
        { numRuns: SCHEDULES, endOnFailure: true, ...SEED },
      );
    },
    30_000 + SCHEDULES * 30_000,
  );
});
