/**
 * Stores an event and one delivery for each of its component's subscribers to it, and wakes those subscribers, in one statement.
 *
 * $1 id, $2 component, $3 type, $4 authorizer, $5 create time, $6 data, $7 secret names, $8 sealed secrets, $9 failure, $10 the
 * subscriptions that match. It only inserts, so it never waits for a handler; an id that exists already yields no row at all.
 */
export const PUBLISH = `
with told as (
  select name from subscriber where component_app_id = $2::text and types && $10::text[] and $9::text is null
), stored as (
  insert into event (id, component_app_id, type, authorizer_app_id, create_time, data, secret_names, secrets, failure,
                     open_deliveries, received_at, processed_at)
  select $1::uuid, $2::text, $3::text, $4::text, $5::timestamptz, $6::jsonb, $7::text[], case when total > 0 then $8::text end, $9::text,
         total, clock.at, case when total = 0 then clock.at end
  from (select count(*) as total from told) as counted, (select clock_timestamp()::timestamptz(3) as at) as clock
  on conflict (id) do nothing
  returning position, received_at
), queued as (
  insert into delivery (position, subscriber, component_app_id, authorizer_app_id)
  select stored.position, told.name, $2::text, $4::text from stored, told
  returning subscriber
), woken as (
  select count(pg_notify('delivery', subscriber)) from queued
)
select position, received_at from stored, woken`;
