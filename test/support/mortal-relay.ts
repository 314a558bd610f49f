import { EventEmitter2 } from '@nestjs/event-emitter';
import { type Pool, type QueryConfig } from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import { Keyring } from '@app/keyring';
import { SteadyClient } from '../../apps/api/src/steady-client.js';
import { createDeliveryPool } from '../../libs/events/src/delivery-pool.js';
import { DeliveryStore } from '../../libs/events/src/delivery-store.js';
import { EventOutbox } from '../../libs/events/src/event-outbox.js';
import { type Subscription } from '../../libs/events/src/on-domain-event.decorator.js';
import { takeOverDelays } from '../../libs/events/src/retry-schedule.js';
import {
  type SubscriberHandler,
  SubscriberWorker,
  type WorkerTiming,
} from '../../libs/events/src/subscriber-worker.js';
import { eventually } from './eventually.js';

const POLL_MS = 40;

export interface RelayPlan {
  readonly databaseUrl: string;
  readonly componentAppId: string;
  readonly timing: WorkerTiming;
  /** Dies at this many steps: before a statement is sent, or after its answer came and before anybody reads it. */
  readonly diesAfterSteps: number | null;
  /** Which of its statements are carried out, but answered by the end of their connection, counted from 1. */
  readonly lostAnswers?: readonly number[];
  readonly onDeath: () => void;
}

/** The part of pg's client that ends a connection without a word. */
interface PgConnection {
  readonly connection: { readonly stream: { destroy(): void } };
}

/** A never settled promise: what is awaited by a process that is no more. */
const never = () => new Promise<never>(() => undefined);

/**
 * The workers of one process without the process: it can die at any statement, and then sends nothing more, hears nothing more,
 * and loses its connections, as by kill -9.
 */
export class MortalRelay {
  isDead = false;
  private stepsLeft: number;
  private statements = 0;
  private timers: NodeJS.Timeout[] = [];
  private readonly workers: SubscriberWorker[] = [];
  private readonly pool: Pool;
  private readonly dataSource: DataSource;
  private readonly store: DeliveryStore;
  private readonly outbox: EventOutbox;

  constructor(private readonly plan: RelayPlan) {
    this.stepsLeft = plan.diesAfterSteps ?? Infinity;
    this.pool = createDeliveryPool(plan.databaseUrl, () => undefined);
    this.dataSource = new DataSource({
      type: 'postgres',
      url: plan.databaseUrl,
      applicationName: 'wechat-deliveries',
      poolSize: 8,
      poolErrorHandler: () => undefined,
      extra: { Client: SteadyClient },
    });
    this.store = new DeliveryStore(this.mortal(this.pool), plan.componentAppId);
    this.outbox = new EventOutbox(this.pool, this.mortalSource(), aKeyring(), new EventEmitter2());
  }

  async start(subscribers: ReadonlyMap<Subscription, SubscriberHandler>): Promise<void> {
    await eventually(() => this.dataSource.initialize());
    for (const [subscription, handler] of subscribers)
      this.workers.push(new SubscriberWorker(subscription, handler, this.store, this.outbox, this.plan.timing));
    const quietly = (work: Promise<unknown>) => void work.catch(() => undefined);
    const poll = async () => {
      await this.store.expireLeases(takeOverDelays(this.plan.timing.retryDelay));
      for (const worker of this.workers) worker.wake();
    };
    const renew = () => Promise.all(this.workers.map((worker) => worker.renewLeases()));
    this.timers = [
      setInterval(() => quietly(poll()), POLL_MS),
      setInterval(() => quietly(renew()), (this.plan.timing.leaseSeconds * 1000) / 3),
    ];
  }

  /** From here on the database is out of reach, or again within it. */
  isCutOff = false;

  /** As by SIGTERM, for one that lives. */
  async stop(): Promise<void> {
    if (this.isDead) return;
    await this.stopWithin(5_000);
    await Promise.all([this.pool.end(), this.dataSource.destroy()]);
  }

  /** Stops as far as handlers do; the connections stay. */
  async stopWithin(graceMs: number): Promise<void> {
    this.clearTimers();
    await Promise.all(this.workers.map((worker) => worker.stop(graceMs)));
  }

  private die(): void {
    this.isDead = true;
    this.clearTimers();
    // Its side of every connection goes away at once; the server notices and rolls back.
    for (const pool of [this.pool, (this.dataSource.driver as unknown as { master: Pool }).master]) {
      const { _clients: clients } = pool as unknown as { _clients: PgConnection[] };
      for (const { connection } of clients) connection.stream.destroy();
    }
    this.plan.onDeath();
  }

  private clearTimers(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  private async step<T>(value?: T): Promise<T> {
    if (!this.isDead && this.stepsLeft-- <= 0) this.die();
    return this.isDead ? never() : (value as T);
  }

  private async mortally<T>(work: () => Promise<T>, cut: () => void = () => undefined): Promise<T> {
    await this.step();
    if (this.isCutOff) throw new Error('The database is out of reach');
    const isLost = this.plan.lostAnswers?.includes((this.statements += 1));
    try {
      const answer = await work();
      if (isLost) {
        cut();
        throw new Error('Connection terminated unexpectedly');
      }
      return await this.step(answer);
    } catch (error) {
      if (this.isDead) return never();
      throw error;
    }
  }

  private mortal(pool: Pool): Pool {
    const query = (config: QueryConfig) => this.mortally(() => pool.query(config));
    return { query } as unknown as Pool;
  }

  private mortalSource(): DataSource {
    const create = this.dataSource.createQueryRunner.bind(this.dataSource);
    this.dataSource.createQueryRunner = (mode) => {
      const runner = create(mode);
      const query = runner.query.bind(runner) as (...args: unknown[]) => Promise<unknown>;
      const cut = () =>
        (runner as unknown as { databaseConnection: PgConnection }).databaseConnection.connection.stream.destroy();
      runner.query = ((...args: unknown[]) => this.mortally(() => query(...args), cut)) as QueryRunner['query'];
      return runner;
    };
    return this.dataSource;
  }
}

export function aKeyring(): Keyring {
  return new Keyring([{ id: 'test', key: Buffer.alloc(32, 1) }]);
}
