import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type AnyEvent, type DeliveryContext, OnDomainEvent } from '@app/events';
import { type Broker, BROKER } from './broker.js';
import { toCloudEvent } from './cloud-event.js';

/** Hands every event to the broker: one more durable subscriber, so that what the broker cannot take waits in the outbox. */
@Injectable()
export class BrokerPublisher implements OnApplicationShutdown {
  constructor(@Inject(BROKER) private readonly broker: Broker) {}

  /** While the broker is away, as many as run at once wait here with their leases, and all others in the database. */
  @OnDomainEvent('*', { subscriber: 'broker', concurrency: 16 })
  async publish(event: AnyEvent, { signal }: DeliveryContext): Promise<void> {
    await this.broker.publish(toCloudEvent(event), signal);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.broker.close();
  }
}
