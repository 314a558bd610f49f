import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import {
  jetstream,
  jetstreamManager,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
} from '@nats-io/jetstream';
import { connect, headers, nanos, type NatsConnection } from '@nats-io/transport-node';
import { type Broker } from './broker.js';
import { attributeHeaders, type CloudEvent, STRUCTURED_JSON } from './cloud-event.js';
import { Reachability } from './reachability.js';

const STREAM = 'WECHAT_EVENTS';
const SUBJECT_PREFIX = 'wechat.events.';
/** For so long the stream knows the ids of what it has, so that a delivery repeated within it is kept once. */
const DUPLICATE_WINDOW_MS = 60 * 60 * 1000;
const ACKNOWLEDGE_MS = 5_000;
const CONNECT_MS = 3_000;
const RECONNECT_MS = 1_000;

/** NATS JetStream: one stream for all events, made where it is missing, a subject for each type. */
export class NatsBroker implements Broker {
  private readonly reachability = new Reachability(new Logger(NatsBroker.name), 'NATS');
  private connection: NatsConnection | null = null;
  private client: JetStreamClient | null = null;
  private hasStream = false;
  private isClosed = false;

  constructor(url: string) {
    void this.stayConnected(url);
  }

  async publish(event: CloudEvent, signal: AbortSignal): Promise<void> {
    await this.reachability.wait(signal);
    await this.ensureStream();
    const attributes = headers();
    attributes.set('content-type', STRUCTURED_JSON);
    for (const [name, value] of Object.entries(attributeHeaders('ce-', event)))
      attributes.set(name, headerValue(value));
    const options = { msgID: event.id, headers: attributes, timeout: ACKNOWLEDGE_MS };
    try {
      await this.client!.publish(subjectOf(event.type), JSON.stringify(event), options);
    } catch (error) {
      this.hasStream = false; // It may have been removed.
      throw error;
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.connection?.close();
  }

  /** Tries until it is there, and again when it was closed for good; whoever starts is not kept waiting. */
  private async stayConnected(url: string): Promise<void> {
    const options = { name: 'wechat-authorization', maxReconnectAttempts: -1, timeout: CONNECT_MS };
    while (!this.isClosed) {
      try {
        this.connection = await connect({
          ...serverOf(url),
          ...options,
          reconnectTimeWait: RECONNECT_MS,
          ignoreAuthErrorAbort: true,
        });
        await this.use(this.connection);
      } catch (error) {
        this.reachability.down((error as Error).message);
      }
      await sleep(RECONNECT_MS, undefined, { ref: false });
    }
    await this.connection?.close();
  }

  /** Until it is closed. */
  private async use(connection: NatsConnection): Promise<void> {
    if (this.isClosed) return;
    this.client = jetstream(connection);
    this.hasStream = false;
    this.reachability.up();
    await this.watch(connection);
    if (!this.isClosed) this.reachability.down('the connection is closed');
  }

  private async watch(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect' && !this.isClosed) {
        this.hasStream = false; // Another server, or the same without its files, may answer next.
        this.reachability.down('the connection is lost');
      }
      if (type === 'reconnect') this.reachability.up();
    }
  }

  private async ensureStream(): Promise<void> {
    if (this.hasStream) return;
    const { streams } = await jetstreamManager(this.connection!, { checkAPI: false });
    try {
      await streams.info(STREAM);
    } catch (error) {
      if (!(error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound)) throw error;
      await streams.add({
        name: STREAM,
        subjects: [`${SUBJECT_PREFIX}>`],
        duplicate_window: nanos(DUPLICATE_WINDOW_MS),
      });
    }
    this.hasStream = true;
  }
}

/** Whatever WeChat may call an event, its subject has no wildcard, no blank and no empty part. */
function subjectOf(type: string): string {
  return SUBJECT_PREFIX + type.replace(/[\s*>]/gu, '_').replace(/\.(?=\.|$)/gu, '_');
}

/** Percent-encoded where a header cannot carry it, as the HTTP binding has it. */
function headerValue(text: string): string {
  return text.replace(/[^!#$&-~]+/gu, encodeURIComponent);
}

function serverOf(url: string): { servers: string; user?: string; pass?: string; token?: string } {
  const { hostname, port, username, password } = new URL(url);
  const servers = `${hostname}:${port || 4222}`;
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
  if (user && pass) return { servers, user, pass };
  return user ? { servers, token: user } : { servers };
}
