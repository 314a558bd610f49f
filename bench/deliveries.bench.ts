import { Injectable } from '@nestjs/common';
import { type AnyEvent, EventOutbox, OnDomainEvent } from '@app/events';
import { Client } from 'pg';
import { CLAIM } from '../libs/events/src/delivery.sql.js';
import { TestPlatform } from '../test/support/platform.js';

const LATENCIES = 300;
const WARM_UP = 50;
const DELIVERIES = 4_000;
const AUTHORIZERS = 400;
const COMMITTERS = 8;
const COMMITTING_MS = 2_000;
const ROUNDS = 4;

/** Notes when each event reaches its handler. */
@Injectable()
class Meter {
  readonly arrivals = new Map<string, number>();
  private count = 0;
  private waiting: { until: number; go: () => void } | null = null;

  @OnDomainEvent('authorizer.attention_required', { subscriber: 'bench', concurrency: 16 })
  async arrive(event: AnyEvent): Promise<void> {
    this.arrivals.set(event.authorizerAppId ?? '', performance.now());
    this.count += 1;
    if (this.waiting && this.count >= this.waiting.until) this.waiting.go();
    return Promise.resolve();
  }

  async after(more: number): Promise<void> {
    await new Promise<void>((go) => (this.waiting = { until: this.count + more, go }));
  }
}

/** An application with a database of its own. */
interface Subject {
  readonly t: TestPlatform;
  readonly control: Client;
  readonly latencies: number[];
  readonly rates: number[];
}

/**
 * Deliveries against one plain insert and against the rate at which this server commits at all, with empty tables and with full ones.
 * All are measured by turns on one server, so that whatever else the machine does falls on each of them.
 */
export default async function deliveries(): Promise<string[]> {
  const few = await start();
  const many = await start();
  try {
    await fill(many.control, many.t.env.platform.appId);
    await few.control.query('create table plain (id bigint generated always as identity primary key, text text)');
    await measureLatencies([few, many], few.control, WARM_UP);
    for (const { latencies } of [few, many]) latencies.length = 0;
    const inserts = await measureLatencies([few, many], few.control, LATENCIES);
    const commits = await measureRates([few, many], few.t.database.url);
    const inWords = ({ latencies, rates }: Subject) =>
      `publish to handler ${(median(latencies) / median(inserts)).toFixed(1)} plain inserts; ` +
      `deliveries per second ${(median(rates) / median(commits)).toFixed(2)} of the commit rate`;
    return [
      `one plain insert ${median(inserts).toFixed(2)} ms; ${Math.round(median(commits))} commits/s from ${COMMITTERS} connections`,
      `empty tables: ${inWords(few)}`,
      `1,000,000 done, 100,000 dead, waiting and parked: ${inWords(many)}`,
      ...(await plan(many.control, many.t.env.platform.appId)),
    ];
  } finally {
    for (const { t, control } of [few, many]) {
      await control.end();
      await t.stop();
    }
  }
}

async function start(): Promise<Subject> {
  const t = await TestPlatform.start({ providers: [Meter], ticket: false });
  const control = new Client({ connectionString: t.database.url });
  await control.connect();
  return { t, control, latencies: [], rates: [] };
}

/** Milliseconds of the plain inserts made in between. */
async function measureLatencies(subjects: Subject[], plain: Client, rounds: number): Promise<number[]> {
  const inserts: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    inserts.push(await timeInsert(plain));
    for (const { t, latencies } of inTurn(subjects, round))
      latencies.push(await timeDelivery(t, `wx-latency-${round}`));
  }
  return inserts;
}

/** Commits per second reached in between. */
async function measureRates(subjects: Subject[], url: string): Promise<number[]> {
  const commits: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    commits.push(await commitRate(url));
    for (const { t, control, rates } of inTurn(subjects, round)) rates.push(await throughput(t, control));
  }
  return commits;
}

function inTurn<T>(all: T[], round: number): T[] {
  return round % 2 === 0 ? all : all.toReversed();
}

async function timeInsert(control: Client): Promise<number> {
  const from = performance.now();
  await control.query('insert into plain (text) values ($1)', ['{"attention": "account_frozen"}']);
  return performance.now() - from;
}

async function timeDelivery(t: TestPlatform, authorizerAppId: string): Promise<number> {
  const outbox = t.app.get(EventOutbox, { strict: false });
  const meter = t.app.get(Meter, { strict: false });
  const arrived = meter.after(1);
  const from = performance.now();
  await outbox.transaction((tx) =>
    outbox.publish(tx, {
      type: 'authorizer.attention_required',
      componentAppId: t.env.platform.appId,
      authorizerAppId,
      data: { attention: 'account_frozen' },
    }),
  );
  await arrived;
  return meter.arrivals.get(authorizerAppId)! - from;
}

async function throughput(t: TestPlatform, control: Client): Promise<number> {
  const done = t.app.get(Meter, { strict: false }).after(DELIVERIES);
  const component = t.env.platform.appId;
  await control.query('begin');
  await insertEvents(control, { component, authorizers: AUTHORIZERS, count: DELIVERIES, state: 'waiting' });
  await control.query(`select pg_notify('delivery', 'bench')`);
  await control.query('commit');
  const from = performance.now();
  await done;
  return DELIVERIES / ((performance.now() - from) / 1000);
}

/** Old and stuck deliveries of the same subscriber: a third each dead, waiting for a retry, and parked behind those. */
async function fill(control: Client, component: string): Promise<void> {
  const old = (count: number, state: string, authorizers: number, dueIn = '0') =>
    insertEvents(control, { component, prefix: 'old', count, state, authorizers, dueIn });
  await old(1_000_000, 'done', 5_000);
  await old(34_000, 'dead', 5_000);
  await old(33_000, 'waiting', 33_000, '1 hour');
  await old(33_000, 'parked', 33_000);
  await control.query('vacuum analyze event');
  await control.query('vacuum analyze delivery');
}

interface Events {
  readonly component: string;
  readonly prefix?: string;
  readonly count: number;
  readonly state: string;
  readonly authorizers: number;
  readonly dueIn?: string;
}

async function insertEvents(control: Client, events: Events): Promise<void> {
  const { component, prefix = 'wx', count, state, authorizers, dueIn = '0' } = events;
  await control.query(
    `with stored as (
       insert into event (id, component_app_id, type, authorizer_app_id, data, open_deliveries)
       select gen_random_uuid(), $1, 'authorizer.attention_required', $2 || n % $4, '{"attention": "account_frozen"}',
              case when $5 = 'done' then 0 else 1 end
       from generate_series(1, $3::int) as n
       returning position, authorizer_app_id
     )
     insert into delivery (position, subscriber, component_app_id, authorizer_app_id, state, due_at)
     select position, 'bench', $1, authorizer_app_id, $5, now() + $6::interval from stored`,
    [component, prefix, count, authorizers, state, dueIn],
  );
}

/** From several connections, as deliveries are settled. */
async function commitRate(url: string): Promise<number> {
  const until = performance.now() + COMMITTING_MS;
  const counts = Array.from({ length: COMMITTERS }, async () => {
    const client = new Client({ connectionString: url });
    await client.connect();
    let commits = 0;
    for (; performance.now() < until; commits += 1) await client.query(`insert into plain (text) values ('x')`);
    await client.end();
    return commits;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0) / (COMMITTING_MS / 1000);
}

/** As the relay's own connections plan it. */
async function plan(control: Client, component: string): Promise<string[]> {
  await control.query(
    `set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off`,
  );
  await control.query('begin');
  const { rows } = await control.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers, costs off, timing off) ${CLAIM}`,
    [component, 'bench', 8, 30, 24],
  );
  await control.query('rollback');
  return ['the claim, with full tables:', ...rows.map((row) => `  ${row['QUERY PLAN']}`)];
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}
