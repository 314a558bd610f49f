import { SetMetadata } from '@nestjs/common';
import { type DeliveryContext } from './delivery-context.js';
import { EventsError } from './events.errors.js';
import { type DomainEventOf, type Subscribable } from './domain-events.js';

export const SUBSCRIPTION = Symbol('subscription');

export interface Subscription {
  readonly subscriber: string;
  readonly types: readonly Subscribable[];
  readonly concurrency: number;
}

export interface SubscriptionOptions {
  /** Names the subscriber for ever: its deliveries are kept under this name. Unique in the application. */
  readonly subscriber: string;
  /** How many events one process handles at once for this subscriber, each of another authorizer. Default 8. */
  readonly concurrency?: number;
}

type Handler<T extends Subscribable> = (event: DomainEventOf<T>, delivery: DeliveryContext) => Promise<void>;

/**
 * Makes a provider's method a durable subscriber: it is called at least once for every event of the given types published after
 * it first ran, in order of publication per authorizer, and again after each failure until it succeeds or a day has passed.
 *
 * The handler must return a promise; what it rejects with is kept as the delivery's last error. See `DeliveryContext` for the
 * attempt, the abort signal, and for having effects in the same database exactly once.
 */
export function OnDomainEvent<T extends Subscribable>(types: T | readonly T[], options: SubscriptionOptions) {
  const subscription: Subscription = {
    subscriber: options.subscriber,
    types: typeof types === 'string' ? [types] : types,
    concurrency: options.concurrency ?? 8,
  };
  return <H extends Handler<T>>(
    target: object,
    method: string | symbol,
    descriptor: TypedPropertyDescriptor<H>,
  ): void => {
    if (Reflect.hasMetadata(SUBSCRIPTION, descriptor.value!))
      throw new EventsError('METHOD_TAKEN', `${String(method)}, for ${options.subscriber}`);
    SetMetadata(SUBSCRIPTION, subscription)(target, method, descriptor);
  };
}
