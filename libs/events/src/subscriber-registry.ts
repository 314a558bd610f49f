import { type Pool } from 'pg';
import { type Subscription } from './on-domain-event.decorator.js';

const BATCH = 1_000;

/** $1 component, $2 subscriber, $3 how many. The event's last word is said without those that nobody will handle any more. */
const DROP_DELIVERIES = `
with dropped as (
  delete from delivery
  where id in (
    select id from delivery where component_app_id = $1 and subscriber = $2 and state <> 'done' order by id limit $3 for update
  )
  returning position, state
), counted as (
  update event e
  set open_deliveries = e.open_deliveries - (dropped.state <> 'dead')::int,
      dead_deliveries = e.dead_deliveries - (dropped.state = 'dead')::int,
      processed_at = case when e.open_deliveries = (dropped.state <> 'dead')::int then coalesce(e.processed_at, now()) end,
      secrets = case when e.open_deliveries > (dropped.state <> 'dead')::int or e.dead_deliveries > (dropped.state = 'dead')::int
                then e.secrets end
  from dropped
  where e.position = dropped.position
)
select count(*)::int as count from dropped`;

/** Who is told of one component's events. A subscriber is kept deliveries for from its first registration until it is removed. */
export class SubscriberRegistry {
  constructor(
    private readonly pool: Pool,
    private readonly componentAppId: string,
  ) {}

  async register({ subscriber, types }: Subscription): Promise<void> {
    await this.pool.query(
      `insert into subscriber (component_app_id, name, types) values ($1, $2, $3)
       on conflict (component_app_id, name) do update set types = excluded.types, last_seen_at = now()`,
      [this.componentAppId, subscriber, types],
    );
  }

  /** The names of all registered subscribers but these. */
  async others(names: readonly string[]): Promise<string[]> {
    const { rows } = await this.pool.query<{ name: string }>(
      'select name from subscriber where component_app_id = $1 and name <> all ($2) order by name',
      [this.componentAppId, names],
    );
    return rows.map(({ name }) => name);
  }

  /**
   * Ends a subscription for good: nothing is kept for it any more, and what waits or is dead is dropped. What a publication in this
   * very moment still leaves behind is dropped when this is called again.
   *
   * @returns whether it was still registered, and how many deliveries were dropped
   */
  async remove(subscriber: string): Promise<{ wasRegistered: boolean; dropped: number }> {
    const { rowCount } = await this.pool.query('delete from subscriber where component_app_id = $1 and name = $2', [
      this.componentAppId,
      subscriber,
    ]);
    for (let dropped = 0; ;) {
      const { rows } = await this.pool.query<{ count: number }>(DROP_DELIVERIES, [
        this.componentAppId,
        subscriber,
        BATCH,
      ]);
      dropped += rows[0]!.count;
      if (rows[0]!.count < BATCH) return { wasRegistered: rowCount === 1, dropped };
    }
  }
}
