import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { subscriptionsTo } from './domain-events.js';
import { asUuid, DELIVERY_COLUMNS, type DeliveryOfEvent, type DeliveryState } from './event-log.js';
import { EventsError } from './events.errors.js';

export const DELIVERY_STATES = ['waiting', 'parked', 'done', 'dead'] as const satisfies readonly DeliveryState[];

export interface DeliveryFilter {
  readonly componentAppId: string;
  readonly status: DeliveryState;
  readonly subscriber?: string | undefined;
  /** Continue after the delivery of this id. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** One batch of dead deliveries is revived in one transaction, so that no lock is held for long. */
const BATCH = 500;

const REOPEN = `state = 'waiting', attempts = 0, due_at = now(), finished_at = null`;

/** What operators see of deliveries and do to them: try what was given up again, and handle again what was handled. */
@Injectable()
export class DeliveryDesk {
  constructor(private readonly dataSource: DataSource) {}

  /** Newest first. */
  async list({ componentAppId, status, subscriber, after, limit }: DeliveryFilter): Promise<DeliveryOfEvent[]> {
    const values: unknown[] = [componentAppId, status, limit];
    const where = ['d.component_app_id = $1', 'd.state = $2'];
    if (status !== 'done') where.push("d.state <> 'done'");
    if (subscriber !== undefined) where.push(`d.subscriber = $${values.push(subscriber)}`);
    if (after !== undefined) where.push(`d.id < $${values.push(after)}::bigint`);
    return this.dataSource.query<DeliveryOfEvent[]>(
      `select ${DELIVERY_COLUMNS}, e.id as "eventId", e.type, e.authorizer_app_id as "authorizerAppId"
       from delivery d join event e using (position)
       where ${where.join(' and ')} order by d.id desc limit $3`,
      values,
    );
  }

  /**
   * Gives a dead delivery a whole new schedule of attempts.
   *
   * @throws EventsError UNKNOWN_DELIVERY, DELIVERY_NOT_DEAD
   */
  async retry(componentAppId: string, id: string): Promise<void> {
    if (!/^\d{1,18}$/.test(id)) throw new EventsError('UNKNOWN_DELIVERY');
    await this.dataSource.transaction(async (tx) => {
      if ((await this.revive(tx, 'component_app_id = $1 and id = $2', [componentAppId, id])) > 0) return;
      const known = await tx.query<unknown[]>('select 1 from delivery where component_app_id = $1 and id = $2', [
        componentAppId,
        id,
      ]);
      throw new EventsError(known.length > 0 ? 'DELIVERY_NOT_DEAD' : 'UNKNOWN_DELIVERY');
    });
  }

  /** Gives every dead delivery of a subscriber a new schedule, the oldest first; answers how many. */
  async retryAll(componentAppId: string, subscriber: string): Promise<number> {
    for (let revived = 0; ;) {
      const batch = await this.dataSource.transaction((tx) =>
        this.revive(tx, 'component_app_id = $1 and subscriber = $2', [componentAppId, subscriber]),
      );
      revived += batch;
      if (batch < BATCH) return revived;
    }
  }

  /**
   * Has an event handled again by the named subscribers, or by all it was delivered to that are still registered. A delivery under
   * way stays as it is: it is not doubled. A named subscriber that came after the event gets its first delivery of it.
   *
   * @returns how many deliveries there are to come because of this
   * @throws EventsError UNKNOWN_EVENT, UNUSABLE_EVENT, UNKNOWN_SUBSCRIBER
   */
  async replay(componentAppId: string, eventId: string, subscribers?: readonly string[]): Promise<number> {
    return this.dataSource.transaction(async (tx) => {
      const event = await this.lockEvent(tx, componentAppId, eventId);
      const named = subscribers && (await this.checkSubscribers(tx, componentAppId, event.type, subscribers));
      const reopened = await tx.query<{ id: string; state: DeliveryState }[]>(
        `with settled as (
           select id, state from delivery
           where position = $1 and state in ('done', 'dead')
             and subscriber in (select name from subscriber where component_app_id = $3 and types && $4::text[])
             and ($2::text[] is null or subscriber = any ($2))
           for update skip locked -- who has it locked is giving it a new schedule, and waits for the event
         ), reopened as (
           update delivery d set ${REOPEN} from settled where d.id = settled.id
         )
         select id, state from settled`,
        [event.position, named ?? null, componentAppId, subscriptionsTo(event.type)],
      );
      const added = named ? await this.addMissing(tx, event.position, named) : 0;
      const dead = reopened.filter(({ state }) => state === 'dead').length;
      await this.recount(tx, [event.position], [reopened.length + added], [dead]);
      await tx.query(
        `select pg_notify('delivery', subscriber) from delivery where position = $1 and state = 'waiting'`,
        [event.position],
      );
      return reopened.length + added;
    });
  }

  private async lockEvent(tx: EntityManager, componentAppId: string, id: string) {
    const [event] = await tx.query<{ position: string; type: string; failure: string | null }[]>(
      'select position::text, type, failure from event where id = $1 and component_app_id = $2 for update',
      [asUuid(id), componentAppId],
    );
    if (!event) throw new EventsError('UNKNOWN_EVENT');
    if (event.failure !== null) throw new EventsError('UNUSABLE_EVENT', event.failure);
    return event;
  }

  private async checkSubscribers(
    tx: EntityManager,
    componentAppId: string,
    type: string,
    names: readonly string[],
  ): Promise<string[]> {
    const rows = await tx.query<{ name: string }[]>(
      'select name from subscriber where component_app_id = $1 and name = any ($2) and types && $3::text[]',
      [componentAppId, names, subscriptionsTo(type)],
    );
    const known = rows.map(({ name }) => name);
    const unknown = names.filter((name) => !known.includes(name));
    if (unknown.length > 0) throw new EventsError('UNKNOWN_SUBSCRIBER', unknown.join(', '));
    return known;
  }

  private async addMissing(tx: EntityManager, position: string, names: readonly string[]): Promise<number> {
    const added = await tx.query<unknown[]>(
      `insert into delivery (position, subscriber, component_app_id, authorizer_app_id)
       select e.position, name, e.component_app_id, e.authorizer_app_id from event e, unnest($2::text[]) as name
       where e.position = $1
       on conflict on constraint uq_delivery_position_subscriber do nothing
       returning id`,
      [position, names],
    );
    return added.length;
  }

  private async revive(tx: EntityManager, which: string, values: unknown[]): Promise<number> {
    const revived = await tx.query<{ position: string; count: number }[]>(
      `with dead as (
         select id from delivery where state = 'dead' and ${which} order by id limit ${BATCH} for update skip locked
       ), revived as (
         update delivery d set ${REOPEN} from dead where d.id = dead.id returning d.position, d.subscriber
       ), woken as (
         select pg_notify('delivery', subscriber) from (select distinct subscriber from revived) as subscribers
       )
       select r.position::text, count(*)::int as count from revived r, (select count(*) from woken) as woken
       group by r.position order by r.position`,
      values,
    );
    const counts = revived.map(({ count }) => count);
    await this.recount(
      tx,
      revived.map(({ position }) => position),
      counts,
      counts,
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  private async recount(tx: EntityManager, positions: string[], opened: number[], revived: number[]): Promise<void> {
    await tx.query(
      `update event e
       set open_deliveries = open_deliveries + opened, dead_deliveries = dead_deliveries - revived, superseded = false,
           processed_at = null
       from unnest($1::bigint[], $2::int[], $3::int[]) as change (position, opened, revived)
       where e.position = change.position and opened > 0`,
      [positions, opened, revived],
    );
  }
}
