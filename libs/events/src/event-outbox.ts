import { createHash, randomUUID } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { Keyring } from '@app/keyring';
import { type Pool } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { type AnyEvent, type NewDomainEvent, subscriptionsTo } from './domain-events.js';
import { EventsError } from './events.errors.js';
import { INTAKE_POOL } from './intake-pool.js';
import { PUBLISH } from './publish.sql.js';
import { type FieldValue } from './push-fields.js';
import { secretsContext } from './event-secrets.js';

/** A push as it was understood: what is kept, and which secrets are kept apart. */
export interface Push {
  readonly componentAppId: string;
  readonly infoType: string;
  readonly authorizerAppId: string | null;
  readonly createTime: Date | null;
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Why the push cannot be acted on, or null. Such a push is kept and delivered to nobody. */
  readonly failure: string | null;
  /** The decrypted text, by which a repeated push is recognised. */
  readonly content: string;
}

interface PublishedRow {
  position: string;
  received_at: Date;
}

/** Makes events durable together with one delivery for each registered subscriber, and tells this process's light listeners. */
@Injectable()
export class EventOutbox {
  private readonly logger = new Logger(EventOutbox.name);
  private readonly published = new WeakMap<EntityManager, AnyEvent[]>();
  private accepting = false;

  constructor(
    @Inject(INTAKE_POOL) private readonly intake: Pool,
    private readonly dataSource: DataSource,
    private readonly keyring: Keyring,
    private readonly emitter: EventEmitter2,
  ) {}

  /** From now on pushes are accepted: every subscriber is registered, so none of them can miss one. */
  open(): void {
    this.accepting = true;
  }

  /** Rejects when a push could not be stored now. */
  async ping(): Promise<void> {
    await this.intake.query('select 1');
  }

  get isOpen(): boolean {
    return this.accepting;
  }

  /**
   * Stores a push and its deliveries in one statement. The same content again, also in parallel or re-encrypted, is the same row.
   *
   * @returns the event, or null when this content was stored before
   * @throws EventsError STORE_UNAVAILABLE when that did not happen in time (about 3.5 s at most)
   */
  async publishPush(push: Push): Promise<AnyEvent | null> {
    if (!this.accepting) throw new EventsError('STORE_UNAVAILABLE');
    const id = idOfContent(push.componentAppId, push.content);
    const secretNames = Object.keys(push.secrets);
    const type = `wechat.${push.infoType}`;
    const values = [
      id,
      push.componentAppId,
      type,
      push.authorizerAppId,
      push.createTime,
      JSON.stringify(push.fields),
      secretNames,
      secretNames.length > 0 ? this.keyring.seal(JSON.stringify(push.secrets), secretsContext(id)) : null,
      push.failure,
      subscriptionsTo(type),
    ];
    const row = await this.storeInTime(values);
    if (!row) return null;
    const time = (push.createTime ?? row.received_at).toISOString();
    const { componentAppId, authorizerAppId } = push;
    const event: AnyEvent = { id, type, time, componentAppId, authorizerAppId, data: push.fields };
    if (push.failure === null) this.announce(event);
    return event;
  }

  /** Runs `work` in a transaction in which it may publish; light listeners hear of it after the commit. */
  async transaction<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    const published: AnyEvent[] = [];
    const result = await this.dataSource.transaction((tx) => {
      this.published.set(tx, published);
      return work(tx);
    });
    for (const event of published) this.announce(event);
    return result;
  }

  /**
   * Publishes an event of our own within the caller's transaction: it exists if and only if that commits.
   *
   * @throws EventsError NOT_IN_TRANSACTION when `tx` was not opened by `transaction`
   */
  async publish(tx: EntityManager, { type, componentAppId, authorizerAppId, data }: NewDomainEvent): Promise<void> {
    const published = this.published.get(tx);
    if (!published) throw new EventsError('NOT_IN_TRANSACTION');
    const id = randomUUID();
    const values = [
      id,
      componentAppId,
      type,
      authorizerAppId,
      null,
      JSON.stringify(data),
      [],
      null,
      null,
      subscriptionsTo(type),
    ];
    const [row] = await tx.query<[PublishedRow]>(PUBLISH, values);
    published.push({ id, type, time: row.received_at.toISOString(), componentAppId, authorizerAppId, data });
  }

  private async storeInTime(values: unknown[]): Promise<PublishedRow | undefined> {
    try {
      const { rows } = await this.intake.query<PublishedRow>({ name: 'publish', text: PUBLISH, values });
      return rows[0];
    } catch (cause) {
      this.logger.error(`A push could not be stored: ${(cause as Error).message}`);
      throw new EventsError('STORE_UNAVAILABLE', undefined, cause);
    }
  }

  /** `@OnEvent` listeners are a courtesy: what they throw is logged and changes nothing. */
  private announce(event: AnyEvent): void {
    setImmediate(() => {
      this.tellListeners(event).catch((cause: unknown) =>
        this.logger.error(`An @OnEvent('${event.type}') listener failed: ${String(cause)}`),
      );
    });
  }

  /** Async, so that what a listener throws at once is a rejection like any other. */
  private async tellListeners(event: AnyEvent): Promise<void> {
    await this.emitter.emitAsync(event.type, event);
  }
}

/** The same content has the same id, so that the database itself refuses the second row. */
function idOfContent(componentAppId: string, content: string): string {
  const hex = createHash('sha256').update(componentAppId).update('\0').update(content).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
