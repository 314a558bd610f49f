import { setTimeout as sleep } from 'node:timers/promises';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { type AnyEvent, type DeliveryContext } from '@app/events';
import fc from 'fast-check';
import { type Pool } from 'pg';
import { DataSource } from 'typeorm';
import { EventOutbox } from '../../libs/events/src/event-outbox.js';
import { type Subscription } from '../../libs/events/src/on-domain-event.decorator.js';
import { SubscriberRegistry } from '../../libs/events/src/subscriber-registry.js';
import { type SubscriberHandler } from '../../libs/events/src/subscriber-worker.js';
import { eventually } from './eventually.js';
import { aKeyring, MortalRelay } from './mortal-relay.js';

const COMPONENT = 'wx0component';
const MAX_EVENTS = 16;
const MAX_SUBSCRIBERS = 3;
const LEASE_SECONDS = 0.3;

/** What a handler does with one event. */
export const behaviour = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('return' as const), ms: fc.constantFrom(0, 0, 5) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('transaction' as const), ms: fc.constantFrom(0, 5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fail' as const), times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'slow' as const, ms: LEASE_SECONDS * 1500 }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'never' as const }) },
);

/** Some come while events are published, some are removed meanwhile: each after so many milliseconds. */
const subscriber = fc.record({
  concurrency: fc.integer({ min: 1, max: 4 }),
  joins: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 60 }) }),
  stays: fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }) },
  ),
});

const steps = fc.integer({ min: 1, max: 80 });

export const schedule = fc.record({
  subscribers: fc.array(subscriber, { minLength: 1, maxLength: MAX_SUBSCRIBERS }),
  events: fc.array(
    fc.record({
      authorizer: fc.integer({ min: 0, max: 3 }),
      pause: fc.constantFrom(0, 0, 0, 3),
      /** Commits only after the next one has been published. */
      late: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      behaviours: fc.array(behaviour, { minLength: MAX_SUBSCRIBERS, maxLength: MAX_SUBSCRIBERS }),
    }),
    { minLength: 1, maxLength: MAX_EVENTS },
  ),
  /** At which step each next process of a relay dies; the one after these lives. */
  deaths: fc.tuple(fc.array(steps, { maxLength: 2 }), fc.array(steps, { maxLength: 2 })),
  /** Which statements of each process are carried out, but answered by the end of their connection: also a commit. */
  lostAnswers: fc.array(steps, { maxLength: 4 }),
  /** After how many milliseconds every connection of every process is cut, while the processes live on. */
  cuts: fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 2 }),
});
export type Schedule = typeof schedule extends fc.Arbitrary<infer S> ? S : never;
type Behaviour = Schedule['events'][number]['behaviours'][number];

interface Run {
  readonly relay: MortalRelay;
  readonly signal: AbortSignal;
  ended: boolean;
}

/** Carries out one schedule against a database and collects what should never be seen. */
export class DeliveryTrial {
  readonly violations: string[] = [];
  private readonly lines = new Map<string, { runs: Run[]; lastStarted: number }>();
  private readonly succeeded = new Set<string>();
  private readonly attempts = new Map<string, number>();
  private readonly numberOf = new Map<string, number>();
  private readonly isLate = new Set<number>();
  private readonly living: MortalRelay[] = [];
  private starts: Promise<void>[] = [];
  private readonly registry: SubscriberRegistry;
  private over = false;

  constructor(
    private readonly databaseUrl: string,
    private readonly control: Pool,
    private readonly plan: Schedule,
  ) {
    this.registry = new SubscriberRegistry(control, COMPONENT);
  }

  async run(): Promise<void> {
    await this.control.query('truncate delivery, event, subscriber, effect');
    const founders = this.subscriptions().filter(({ joins }) => joins === 0);
    for (const { subscription } of founders) await this.registry.register(subscription);
    try {
      await this.carryOut();
    } finally {
      this.over = true;
      await Promise.all(this.starts);
      await Promise.all(this.living.map((relay) => relay.stop()));
    }
    await this.checkOutcome();
  }

  private async carryOut(): Promise<void> {
    const relays = this.plan.deaths.map((steps) => this.startRelay(steps));
    const cuts = this.plan.cuts.map((after) => this.cutConnections(after));
    await Promise.all([this.publish(), ...relays, ...cuts, ...this.subscriptions().map((one) => this.comeAndGo(one))]);
    // Once more, now that nothing is being published: a publication under way may have left something behind.
    for (const { subscription, stays } of this.subscriptions())
      if (stays !== null) await this.registry.remove(subscription.subscriber);
    await eventually(() => this.expectAllFinished(), 20_000);
  }

  private async startRelay([diesAfterSteps, ...later]: number[]): Promise<void> {
    const relay: MortalRelay = new MortalRelay({
      databaseUrl: this.databaseUrl,
      componentAppId: COMPONENT,
      timing: { leaseSeconds: LEASE_SECONDS, retryDelay: () => 0.002 },
      diesAfterSteps: diesAfterSteps ?? null,
      lostAnswers: this.plan.lostAnswers,
      onDeath: () => {
        if (!this.over) this.starts.push(this.startRelay(later));
      },
    });
    this.living.push(relay);
    await relay.start(this.handlersOf(relay));
  }

  private subscriptions() {
    return this.plan.subscribers.map(({ concurrency, joins, stays }, index) => {
      const subscription: Subscription = { subscriber: `s${index}`, types: ['*'], concurrency };
      return { subscription, joins, stays };
    });
  }

  private async comeAndGo({ subscription, joins, stays }: ReturnType<DeliveryTrial['subscriptions']>[number]) {
    if (joins > 0) {
      await sleep(joins);
      await this.registry.register(subscription);
    }
    if (stays === null) return;
    await sleep(stays);
    await this.registry.remove(subscription.subscriber);
  }

  private handlersOf(relay: MortalRelay): Map<Subscription, SubscriberHandler> {
    return new Map(
      this.subscriptions().map(({ subscription }, index) => [
        subscription,
        (event, delivery) => this.handle(relay, index, event, delivery),
      ]),
    );
  }

  private async handle(relay: MortalRelay, subscriber: number, event: AnyEvent, delivery: DeliveryContext) {
    const number = this.numberOf.get(event.id) ?? (event.data.state as number);
    const run: Run = { relay, signal: delivery.signal, ended: false };
    this.noteStart(`s${subscriber}/${event.authorizerAppId}`, Number(number), run);
    try {
      await this.behave(this.plan.events[Number(number)]!.behaviours[subscriber]!, subscriber, event, delivery, run);
      if (!relay.isDead) this.succeeded.add(`s${subscriber}/${event.id}`);
    } finally {
      run.ended = true;
    }
  }

  private noteStart(line: string, number: number, run: Run): void {
    const known = this.lines.get(line) ?? { runs: [], lastStarted: -1 };
    this.lines.set(line, known);
    if (known.runs.some(({ ended, signal, relay }) => !ended && !signal.aborted && !relay.isDead))
      this.violations.push(`two at a time in ${line}, at event ${number}`);
    known.runs.push(run);
    if (this.isLate.has(number)) return;
    if (number < known.lastStarted) this.violations.push(`${number} after ${known.lastStarted} in ${line}`);
    known.lastStarted = number;
  }

  private async behave(
    what: Behaviour,
    subscriber: number,
    event: AnyEvent,
    delivery: DeliveryContext,
    run: Run,
  ): Promise<void> {
    const key = `s${subscriber}/${event.id}`;
    const attempt = (this.attempts.get(key) ?? 0) + 1;
    this.attempts.set(key, attempt);
    switch (what.kind) {
      case 'return':
        return void (await sleep(what.ms));
      case 'slow':
        return void (await sleep(attempt === 1 ? what.ms : 0));
      case 'fail':
        if (attempt <= what.times) throw new Error('as planned');
        return;
      case 'never':
        throw new Error('always');
      case 'transaction':
        await delivery.transaction(async (tx) => {
          await tx.query('insert into effect (event_id, subscriber) values ($1, $2)', [event.id, `s${subscriber}`]);
          await sleep(what.ms);
          run.ended = true; // Once this commits, the next may start, whatever we still have to hear of it.
        });
        return;
    }
  }

  private async publish(): Promise<void> {
    const dataSource = new DataSource({ type: 'postgres', url: this.databaseUrl, applicationName: 'publisher' });
    await dataSource.initialize();
    const outbox = new EventOutbox(null as unknown as Pool, dataSource, aKeyring(), new EventEmitter2());
    let release = () => undefined as void;
    let late: Promise<void> = Promise.resolve();
    for (const [number, { authorizer, pause, late: isLate }] of this.plan.events.entries()) {
      await sleep(pause);
      if (isLate) {
        this.isLate.add(number);
        release();
        await late;
        const gate = new Promise<void>((resolve) => (release = resolve));
        late = this.publishOne(outbox, number, authorizer, gate);
      } else {
        await this.publishOne(outbox, number, authorizer);
        release();
      }
    }
    release();
    await late;
    await dataSource.destroy();
  }

  private async publishOne(outbox: EventOutbox, number: number, authorizer: number, gate?: Promise<void>) {
    await outbox.transaction(async (tx) => {
      await outbox.publish(tx, {
        type: 'authorizer.unauthorized',
        componentAppId: COMPONENT,
        authorizerAppId: `wx${authorizer}`,
        data: { tenantId: null, state: String(number), reason: 'revoked' },
      });
      await gate;
    });
  }

  private async cutConnections(afterMs: number): Promise<void> {
    await sleep(afterMs);
    await this.control.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name  = 'wechat-deliveries' and datname = current_database()`,
    );
  }

  private async expectAllFinished(): Promise<void> {
    const { rows } = await this.control.query(
      `select state, lease, attempts, count(*)::int from delivery where state not in ('done', 'dead') group by 1, 2, 3`,
    );
    if (rows.length > 0) throw new Error(`Not finished: ${JSON.stringify(rows)}; ${this.violations.join()}`);
  }

  private async checkOutcome(): Promise<void> {
    const { rows } = await this.control.query<{ key: string; state: string; number: number; subscriber: string }>(
      `select d.subscriber || '/' || e.id as key, d.state, (e.data ->> 'state')::int as number, d.subscriber
       from delivery d join event e using (position)`,
    );
    for (const { subscription, joins, stays } of this.subscriptions()) {
      const told = new Set(
        rows.filter((row) => row.subscriber === subscription.subscriber).map(({ number }) => number),
      );
      if (stays === null) this.checkTold(subscription.subscriber, told, joins === 0);
    }
    for (const { key, state, number, subscriber } of rows) {
      const { kind } = this.plan.events[number]!.behaviours[Number(subscriber.slice(1))]!;
      if (state !== (kind === 'never' ? 'dead' : 'done')) this.violations.push(`${key} (${kind}) is ${state}`);
    }
    await this.checkEffects(rows);
    const { rows: wrong } = await this.control.query(
      `select e.id, open_deliveries, dead_deliveries, status from event e
       where open_deliveries <> 0 or dead_deliveries <> (select count(*) from delivery d where d.position = e.position and d.state = 'dead')
          or status <> case when dead_deliveries > 0 then 'failed' else 'processed' end`,
    );
    if (wrong.length > 0) this.violations.push(`events miscounted: ${JSON.stringify(wrong)}`);
  }

  /** Everything from the beginning, or from the first event that was published after it joined. */
  private checkTold(subscriber: string, told: ReadonlySet<number>, fromTheBeginning: boolean): void {
    const inOrder = [...this.plan.events.keys()].filter((number) => fromTheBeginning || !this.isLate.has(number));
    const first = fromTheBeginning ? 0 : inOrder.findIndex((number) => told.has(number));
    const missing = first < 0 ? [] : inOrder.slice(first).filter((number) => !told.has(number));
    if (missing.length > 0) this.violations.push(`${subscriber} was not told of ${missing.join()}`);
  }

  /** What a handler did within the delivery's transaction is there once; what it did otherwise was done at least once. */
  private async checkEffects(rows: { key: string; number: number; subscriber: string }[]): Promise<void> {
    const { rows: effects } = await this.control.query<{ key: string; count: number }>(
      `select subscriber || '/' || event_id as key, count(*)::int from effect group by 1`,
    );
    const effect = new Map(effects.map(({ key, count }) => [key, count]));
    const known = new Set(rows.map(({ key }) => key));
    for (const key of effect.keys()) if (!known.has(key)) this.violations.push(`${key} had effects and is gone`);
    for (const { key, number, subscriber } of rows) {
      const { kind } = this.plan.events[number]!.behaviours[Number(subscriber.slice(1))]!;
      if (kind === 'transaction' && effect.get(key) !== 1)
        this.violations.push(`${key} had ${effect.get(key)} effects`);
      if (kind !== 'transaction' && kind !== 'never' && !this.succeeded.has(key))
        this.violations.push(`${key} is lost`);
    }
  }
}
