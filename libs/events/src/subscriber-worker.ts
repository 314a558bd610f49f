import { Logger } from '@nestjs/common';
import { type AnyEvent, subscriptionsTo } from './domain-events.js';
import { type DeliveryContext } from './delivery-context.js';
import { type DeliveryStore, type LeasedDelivery, type Outcome } from './delivery-store.js';
import { type EventOutbox } from './event-outbox.js';
import { type Subscription } from './on-domain-event.decorator.js';
import { failureText } from './failure-text.js';
import { MAX_ATTEMPTS, retryDelaySeconds } from './retry-schedule.js';

export type SubscriberHandler = (event: AnyEvent, delivery: DeliveryContext) => Promise<void>;

export interface WorkerTiming {
  /** Seconds a delivery stays ours without renewal. */
  readonly leaseSeconds: number;
  /** Seconds before attempt `n + 1`, after attempt `n` failed. */
  readonly retryDelay: (attempt: number) => number;
}

export const DEFAULT_TIMING: WorkerTiming = { leaseSeconds: 30, retryDelay: retryDelaySeconds };

/** How much longer a process that is told to stop may live: until then it keeps the leases of handlers that do not stop. */
const LAST_SECONDS = 5;
/** Its lease was lost while the database was away, and its handler has not noticed: it is not run a second time beside itself. */
const STILL_RUNNING_SECONDS = 5;

interface Running {
  readonly delivery: LeasedDelivery;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
  leaseEnd: NodeJS.Timeout;
}

/** Handles one subscriber's deliveries in this process: leases what is due, runs the handler, settles what came of it. */
export class SubscriberWorker {
  private readonly logger: Logger;
  private readonly running = new Map<string, Running>();
  private readonly retryTimers = new Set<NodeJS.Timeout>();
  private filling: Promise<void> | null = null;
  private wokenMeanwhile = false;
  private stopping = false;
  private hasGivenUp = false;
  private renewal: Promise<void> = Promise.resolve();

  constructor(
    readonly subscription: Subscription,
    private readonly handler: SubscriberHandler,
    private readonly store: DeliveryStore,
    private readonly outbox: EventOutbox,
    private readonly timing: WorkerTiming = DEFAULT_TIMING,
  ) {
    this.logger = new Logger(`subscriber ${subscription.subscriber}`);
  }

  /** There may be work: looks for it, at once or as soon as the look under way is over. */
  wake(): void {
    this.wokenMeanwhile = true;
    if (this.stopping || this.filling) return;
    this.filling = this.fill()
      .catch((error: unknown) => this.logger.warn(`Looking for deliveries failed: ${(error as Error).message}`))
      .finally(() => {
        this.filling = null;
        if (this.wokenMeanwhile && this.hasRoom()) this.wake();
      });
  }

  /** Keeps the leases of what is running; aborts what another process has taken over. */
  async renewLeases(): Promise<void> {
    const held = [...this.running.values()];
    if (held.length === 0 || this.hasGivenUp) return;
    this.renewal = this.renew(held);
    await this.renewal;
  }

  private async renew(held: readonly Running[]): Promise<void> {
    const askedAt = performance.now();
    const ours = await this.store.renew(
      held.map(({ delivery }) => delivery),
      this.timing.leaseSeconds,
    );
    for (const running of held) {
      if (!this.running.has(running.delivery.id)) continue;
      const isRenewed = ours.get(running.delivery.id);
      if (isRenewed === false) continue; // Its row is locked just now; the lease ends when it would have ended.
      clearTimeout(running.leaseEnd);
      if (isRenewed) running.leaseEnd = this.abortAtLeaseEnd(running.abort, askedAt);
      else running.abort.abort(new Error('Another process has taken this delivery over'));
    }
  }

  /**
   * Takes nothing more, tells what runs to stop and waits for it, up to `graceMs`. What does not stop keeps its lease for the few
   * seconds this process may still live, so that no other runs it beside this one.
   */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    for (const timer of this.retryTimers) clearTimeout(timer);
    await Promise.race([this.end(), timeout(graceMs)]);
    this.hasGivenUp = true;
    if (this.running.size > 0) await Promise.race([this.shortenLeases(), timeout(1_000)]);
  }

  /** After the renewal under way, which would lengthen them again. */
  private async shortenLeases(): Promise<void> {
    await this.renewal.catch(() => undefined); // Whoever asked for it has said so.
    const left = [...this.running.values()].map(({ delivery }) => delivery);
    await this.store.renew(left, LAST_SECONDS);
  }

  private async end(): Promise<void> {
    this.abortAll();
    await this.filling; // It may hang with the database, and may start more.
    this.abortAll();
    await Promise.all([...this.running.values()].map(({ ended }) => ended));
  }

  private abortAll(): void {
    for (const { abort } of this.running.values()) abort.abort(new Error('The process is stopping'));
  }

  private hasRoom(): boolean {
    return !this.stopping && this.running.size < this.subscription.concurrency;
  }

  private async fill(): Promise<void> {
    while (this.wokenMeanwhile && this.hasRoom()) {
      this.wokenMeanwhile = false;
      const room = this.subscription.concurrency - this.running.size;
      const askedAt = performance.now();
      const { leased, more } = await this.store.claim(this.subscription.subscriber, room, this.timing.leaseSeconds);
      const stillRunning = leased.filter(({ id }) => this.running.has(id));
      for (const delivery of leased) if (!stillRunning.includes(delivery)) this.start(delivery, askedAt);
      if (stillRunning.length > 0) await this.store.release(stillRunning, STILL_RUNNING_SECONDS);
      if (more) this.wokenMeanwhile = true;
    }
  }

  private start(delivery: LeasedDelivery, askedAt: number): void {
    const abort = new AbortController();
    const ended = this.handle(delivery, abort.signal)
      .catch((error: unknown) =>
        this.logger.error(`Delivery ${delivery.id} could not be settled: ${(error as Error).message}`),
      )
      .finally(() => {
        clearTimeout(this.running.get(delivery.id)?.leaseEnd);
        this.running.delete(delivery.id);
        this.wake();
      });
    this.running.set(delivery.id, { delivery, abort, ended, leaseEnd: this.abortAtLeaseEnd(abort, askedAt) });
  }

  /** Without a renewal another process may take over from here on, also when the database is out of our reach only. */
  private abortAtLeaseEnd(abort: AbortController, askedAt: number): NodeJS.Timeout {
    const leaseMs = this.timing.leaseSeconds * 1000;
    const end = () => abort.abort(new Error('The lease on this delivery could not be renewed'));
    return setTimeout(end, askedAt + leaseMs - performance.now()).unref();
  }

  private async handle(delivery: LeasedDelivery, signal: AbortSignal): Promise<void> {
    let settled = false;
    let outcome: Outcome = 'done';
    const context: DeliveryContext = {
      position: BigInt(delivery.position),
      attempt: delivery.attempts,
      signal,
      supersede: () => {
        outcome = 'superseded';
      },
      transaction: async (work) => {
        const result = await this.outbox.transaction(async (tx) => {
          const value = await work(tx);
          await this.store.finishWithin(tx, delivery, outcome);
          return value;
        });
        settled = true;
        return result;
      },
    };
    try {
      if (delivery.attempts > MAX_ATTEMPTS) throw new Error('Every attempt ended with the end of its process');
      this.checkType(delivery);
      await this.handler(eventOf(delivery), context);
      if (!settled) await this.store.finish(delivery, outcome);
    } catch (error) {
      if (settled) this.logger.error(`Failed after delivery ${delivery.id} was done: ${failureText(error)}`);
      else if (this.stopping && signal.aborted) await this.store.release([delivery]);
      else await this.settleFailure(delivery, failureText(error));
    }
  }

  /** One of another type was kept by a newer or older program: to that it goes at a later attempt. */
  private checkType({ type }: LeasedDelivery): void {
    const { subscriber, types } = this.subscription;
    const matching = subscriptionsTo(type);
    if (types.some((known) => matching.includes(known))) return;
    throw new Error(`${subscriber} of this program is not subscribed to ${type}`);
  }

  private async settleFailure(delivery: LeasedDelivery, error: string): Promise<void> {
    if (delivery.attempts >= MAX_ATTEMPTS) {
      this.logger.error(
        `Delivery ${delivery.id} of event ${delivery.eventId} is dead after ${delivery.attempts} attempts: ${error}`,
      );
      await this.store.finish(delivery, 'dead', error);
      return;
    }
    const delay = this.timing.retryDelay(delivery.attempts);
    const what = `Delivery ${delivery.id}, attempt ${delivery.attempts}, failed`;
    if (await this.store.retryLater(delivery, delay, error)) {
      this.logger.warn(`${what}; again in ${Math.round(delay)} s: ${error}`);
      this.wakeAfter(delay);
    } else this.logger.warn(`${what}, but another process had taken it over: ${error}`);
  }

  /** The poll would find it too, only later. */
  private wakeAfter(seconds: number): void {
    if (this.stopping) return;
    const timer = setTimeout(
      () => {
        this.retryTimers.delete(timer);
        this.wake();
      },
      seconds * 1000 + 5,
    );
    timer.unref();
    this.retryTimers.add(timer);
  }
}

function eventOf({ eventId, type, time, componentAppId, authorizerAppId, data }: LeasedDelivery): AnyEvent {
  return { id: eventId, type, time: time.toISOString(), componentAppId, authorizerAppId, data };
}

function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
