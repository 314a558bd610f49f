import { type DynamicModule, Module } from '@nestjs/common';
import { AmqpBroker } from './amqp-broker.js';
import { BROKER, type Broker } from './broker.js';
import { BrokerPublisher } from './broker-publisher.js';
import { NatsBroker } from './nats-broker.js';

/** Events for other services, as CloudEvents. */
@Module({})
export class BrokerModule {
  /** @param url nats:// for JetStream, amqp:// or amqps:// for RabbitMQ, null for no broker */
  static register(url: string | null): DynamicModule {
    if (url === null) return { module: BrokerModule };
    const broker = { provide: BROKER, useFactory: () => createBroker(url) };
    return { module: BrokerModule, providers: [broker, BrokerPublisher] };
  }
}

function createBroker(url: string): Broker {
  return new URL(url).protocol === 'nats:' ? new NatsBroker(url) : new AmqpBroker(url);
}
