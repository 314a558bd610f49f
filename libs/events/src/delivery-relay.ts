import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { type InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { EventEmitterReadinessWatcher } from '@nestjs/event-emitter';
import { isSubscribable } from './domain-events.js';
import { DeliveryStore } from './delivery-store.js';
import { EventOutbox } from './event-outbox.js';
import { EVENTS_OPTIONS, type EventsOptions } from './events.options.js';
import { EventsError } from './events.errors.js';
import { SUBSCRIPTION, type Subscription } from './on-domain-event.decorator.js';
import { takeOverDelays } from './retry-schedule.js';
import { SubscriberRegistry } from './subscriber-registry.js';
import { type SubscriberHandler, SubscriberWorker } from './subscriber-worker.js';
import { WakeUpListener } from './wake-up-listener.js';

const REGISTER_AGAIN_MS = 1_000;
const POLL_MS = 2_000;
const STOP_GRACE_MS = 6_000;

/**
 * Finds every `@OnDomainEvent` handler, registers it as a subscriber and keeps its deliveries going: woken by NOTIFY, with polling
 * as back-up.
 */
@Injectable()
export class DeliveryRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DeliveryRelay.name);
  private readonly workers = new Map<string, SubscriberWorker>();
  private readonly listener: WakeUpListener;
  private timers: NodeJS.Timeout[] = [];
  private stopped = false;
  /** Said once, as long as it is the same. */
  private complaint = '';

  constructor(
    @Inject(EVENTS_OPTIONS) private readonly options: EventsOptions,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
    private readonly ready: EventEmitterReadinessWatcher,
    private readonly registry: SubscriberRegistry,
    private readonly store: DeliveryStore,
    private readonly outbox: EventOutbox,
  ) {
    this.listener = new WakeUpListener(options.databaseUrl, 'delivery', (subscriber) => this.wake(subscriber));
  }

  async onApplicationBootstrap(): Promise<void> {
    this.findSubscribers();
    const isRegistered = await this.tryRegister();
    // Not awaited: what makes the emitter ready is another module's bootstrap, which may come after this one.
    this.inBackground('Starting to deliver', this.deliverWhenReady(isRegistered));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearInterval(timer);
    const renewing = setInterval(() => this.inBackground('Renewing leases', this.renew()), 1000);
    const stopping = [...this.workers.values()].map((worker) => worker.stop(STOP_GRACE_MS));
    await Promise.all([this.listener.stop(), ...stopping]);
    clearInterval(renewing);
  }

  private async deliverWhenReady(isRegistered: boolean): Promise<void> {
    await this.ready.waitUntilReady();
    while (!isRegistered && !this.stopped) {
      await sleep(REGISTER_AGAIN_MS, undefined, { ref: false });
      isRegistered = await this.tryRegister();
    }
    if (this.stopped) return;
    const leaseMs = this.options.timing.leaseSeconds * 1000;
    this.timers = [
      setInterval(() => this.inBackground('Polling', this.poll()), POLL_MS),
      setInterval(() => this.inBackground('Renewing leases', this.renew()), leaseMs / 3),
    ];
    await this.listener.start();
  }

  private findSubscribers(): void {
    const providers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    // The same instance may go by several tokens.
    for (const [instance, provider] of new Map<unknown, InstanceWrapper>(providers.map((one) => [one.instance, one]))) {
      if (!instance || typeof instance !== 'object') continue;
      const prototype = Object.getPrototypeOf(instance) as Record<string, SubscriberHandler>;
      for (const method of this.scanner.getAllMethodNames(prototype)) {
        const subscription = this.reflector.get<Subscription | undefined>(SUBSCRIPTION, prototype[method]!);
        if (!subscription) continue;
        if (!provider.isDependencyTreeStatic()) throw new EventsError('SCOPED_SUBSCRIBER', subscription.subscriber);
        this.add(subscription, prototype[method]!.bind(instance));
      }
    }
  }

  private add(subscription: Subscription, handler: SubscriberHandler): void {
    const { subscriber, types, concurrency } = subscription;
    if (!/^[^\0]{1,200}$/u.test(subscriber) || !Number.isInteger(concurrency) || concurrency < 1)
      throw new EventsError('INVALID_SUBSCRIPTION', `${subscriber}, ${concurrency} at once`);
    if (this.workers.has(subscriber)) throw new EventsError('DUPLICATE_SUBSCRIBER', subscriber);
    const unknown = types.filter((type) => !isSubscribable(type));
    if (unknown.length > 0) throw new EventsError('UNKNOWN_EVENT_TYPE', `${unknown.join(', ')} in ${subscriber}`);
    const worker = new SubscriberWorker(subscription, handler, this.store, this.outbox, this.options.timing);
    this.workers.set(subscriber, worker);
  }

  /** Without the database, or before its migrations, the process starts all the same and is not ready. */
  private async tryRegister(): Promise<boolean> {
    try {
      await this.register();
      this.outbox.open();
      return true;
    } catch (error) {
      const complaint = `Subscribers cannot be registered yet, so no push is accepted: ${(error as Error).message}`;
      if (complaint !== this.complaint) this.logger.warn(complaint);
      this.complaint = complaint;
      return false;
    }
  }

  /** From here on every replica, also one of an older version, keeps deliveries for these subscribers. */
  private async register(): Promise<void> {
    for (const { subscription } of this.workers.values()) await this.registry.register(subscription);
    for (const name of await this.registry.others([...this.workers.keys()]))
      this.logger.warn(
        `Subscriber ${name} is registered but not in this program; its deliveries wait. See docs/guarantees.md`,
      );
  }

  private wake(subscriber: string | null): void {
    if (subscriber === null) for (const worker of this.workers.values()) worker.wake();
    else this.workers.get(subscriber)?.wake();
  }

  private async poll(): Promise<void> {
    try {
      await this.store.expireLeases(takeOverDelays(this.options.timing.retryDelay));
    } finally {
      this.wake(null);
    }
  }

  private async renew(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.renewLeases()));
  }

  private inBackground(what: string, work: Promise<void>): void {
    work.catch((error: unknown) => this.logger.warn(`${what} failed: ${(error as Error).message}`));
  }
}
