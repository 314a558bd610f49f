import { Logger } from '@nestjs/common';
import { Connection, type Publisher } from 'rabbitmq-client';
import { type Broker } from './broker.js';
import { attributeHeaders, type CloudEvent, STRUCTURED_JSON } from './cloud-event.js';
import { inTime } from './in-time.js';
import { Reachability } from './reachability.js';

const EXCHANGE = 'wechat.events';
const CONFIRM_MS = 10_000;
/** AMQP's limit for a routing key is 255 bytes; a character has 4 at most. */
const KEY_CHARACTERS = 63;

/** RabbitMQ: a durable topic exchange with the event's type as routing key, and publisher confirms. */
export class AmqpBroker implements Broker {
  private readonly logger = new Logger(AmqpBroker.name);
  private readonly reachability = new Reachability(this.logger, 'RabbitMQ');
  private readonly connection: Connection;
  private readonly publisher: Publisher;
  private readonly unrouted = new Set<string>();
  private isClosed = false;

  constructor(url: string) {
    this.connection = new Connection({ url, connectionName: 'wechat-authorization', retryHigh: 5_000, heartbeat: 20 });
    const down = (reason: string) => {
      if (!this.isClosed) this.reachability.down(reason);
    };
    this.connection.on('error', ({ message }: Error) => {
      // A channel that was closed is told here too; the next publication opens another.
      if (this.connection.ready) this.logger.warn(`RabbitMQ closed a channel: ${message}`);
      else down(message);
    });
    this.connection.on('connection', () => this.reachability.up());
    this.connection.on('connection.blocked', (reason) => down(reason));
    this.connection.on('connection.unblocked', () => this.reachability.up());
    this.publisher = this.connection.createPublisher({
      confirm: true,
      exchanges: [{ exchange: EXCHANGE, type: 'topic', durable: true }],
    });
    this.publisher.on('basic.return', ({ routingKey }) => this.noteUnrouted(routingKey));
  }

  async publish(event: CloudEvent, signal: AbortSignal): Promise<void> {
    await this.reachability.wait(signal);
    const envelope = {
      exchange: EXCHANGE,
      routingKey: Buffer.byteLength(event.type) <= 255 ? event.type : event.type.slice(0, KEY_CHARACTERS),
      mandatory: true,
      durable: true,
      messageId: event.id,
      contentType: STRUCTURED_JSON,
      headers: attributeHeaders('cloudEvents:', event),
    };
    // A process that stops does not wait for it: the event is sent again, under the same id.
    await inTime(this.publisher.send(envelope, Buffer.from(JSON.stringify(event))), CONFIRM_MS, signal);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.connection.unsafeDestroy();
    return Promise.resolve();
  }

  /** Once for each type: nobody may want it, and that is no fault. */
  private noteUnrouted(routingKey: string): void {
    if (this.unrouted.has(routingKey)) return;
    this.unrouted.add(routingKey);
    this.logger.warn(`No queue is bound to ${EXCHANGE} for ${routingKey}; RabbitMQ drops such events`);
  }
}
