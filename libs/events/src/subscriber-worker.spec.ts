import { Logger } from '@nestjs/common';
import { type DeliveryStore, type LeasedDelivery } from './delivery-store.js';
import { type EventOutbox } from './event-outbox.js';
import { type Subscription } from './on-domain-event.decorator.js';
import { type SubscriberHandler, SubscriberWorker } from './subscriber-worker.js';

const SUBSCRIPTION: Subscription = { subscriber: 'crm', types: ['authorizer.authorized'], concurrency: 8 };
const never = () => new Promise<never>(() => undefined);

function deliveryOf(id: string): LeasedDelivery {
  const ofEvent = { eventId: `event ${id}`, type: 'authorizer.authorized', time: new Date(0), data: {} };
  const ofQueue = { id, lease: `lease ${id}`, attempts: 1, position: id, subscriber: SUBSCRIPTION.subscriber };
  return { ...ofEvent, ...ofQueue, componentAppId: 'wx0', authorizerAppId: `wx${id}` };
}

/** Stands in for the database: gives what the test lets it give. */
class Queue {
  readonly claims: (() => Promise<LeasedDelivery[]>)[] = [];
  canRelease = true;

  async claim() {
    const leased = await (this.claims.shift()?.() ?? []);
    return { leased, more: this.claims.length > 0 };
  }
  async release() {
    return this.canRelease ? Promise.resolve() : Promise.reject(new Error('The database is away'));
  }
  async finish() {}
  async renew() {
    return Promise.resolve(new Map());
  }
}

describe('the worker of a subscriber', () => {
  let queue: Queue;
  beforeEach(() => {
    queue = new Queue();
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  });
  afterEach(() => jest.restoreAllMocks());

  const workerOf = (handler: SubscriberHandler) =>
    new SubscriberWorker(SUBSCRIPTION, handler, queue as unknown as DeliveryStore, null as unknown as EventOutbox);
  const turns = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

  it('tells its handlers to stop, also while the look for more hangs', async () => {
    const told: unknown[] = [];
    queue.claims.push(() => Promise.resolve([deliveryOf('1')]), never);
    const worker = workerOf((_event, { signal }) => {
      const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      return stopped.then(() => void told.push(signal.reason));
    });
    worker.wake();
    await turns();
    await worker.stop(50);
    expect(told).toEqual([new Error('The process is stopping')]);
  });

  it('handles all that it leased, also beside one that is still running here and cannot be given back', async () => {
    const handled: string[] = [];
    queue.canRelease = false;
    queue.claims.push(
      () => Promise.resolve([deliveryOf('1')]),
      () => Promise.resolve(['1', '2', '3'].map(deliveryOf)),
    );
    const worker = workerOf((event) => {
      handled.push(event.id);
      return event.id === 'event 1' ? never() : Promise.resolve();
    });
    worker.wake();
    await turns();
    expect(handled).toEqual(['event 1', 'event 2', 'event 3']);
  });
});
