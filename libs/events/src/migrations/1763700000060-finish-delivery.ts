import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** One round trip for what becomes of a delivery, of its event and of what waits behind it. */
export class FinishDelivery1763700000060 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // A function, because each of its statements sees what was committed while the one before waited for a row: a delivery that was
    // parked behind this one in that time is let go. Secrets nobody can need any more go with the last delivery.
    await queryRunner.query(`
      create function finish_delivery(delivery_id bigint, held_lease uuid, outcome text, error text) returns boolean
      language plpgsql
      set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
      as $$
      declare
        finished delivery;
        is_dead constant boolean := outcome = 'dead';
      begin
        update delivery
        set state = case when is_dead then 'dead' else 'done' end, lease = null, finished_at = now(),
            last_error = coalesce(error, last_error)
        where id = delivery_id and lease = held_lease
        returning * into finished;
        if not found then
          return false;
        end if;

        update event
        set open_deliveries = open_deliveries - 1,
            dead_deliveries = dead_deliveries + is_dead::int,
            superseded = superseded or outcome = 'superseded',
            processed_at = case when open_deliveries = 1 then now() end,
            secrets = case when open_deliveries > 1 or dead_deliveries > 0 or is_dead then secrets end
        where position = finished.position;

        update delivery set state = 'waiting', due_at = now()
        where id = (
          select next.id from delivery next
          where next.component_app_id = finished.component_app_id and next.subscriber = finished.subscriber
            and next.authorizer_app_id = finished.authorizer_app_id and next.state = 'parked'
          order by next.position limit 1
        ) and state = 'parked'; -- unless a claim has let it go meanwhile: then it may be leased already
        return true;
      end $$`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop function finish_delivery(bigint, uuid, text, text)');
  }
}
