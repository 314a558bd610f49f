/** Checked again once the row is locked. Cases, which no index but the primary key can be chosen for: the others would be read whole. */
const STILL_DUE = `case when d.state = 'waiting' then d.lease is null and d.due_at <= now() else false end`;
const STILL_UNFINISHED = `case when b.state in ('waiting', 'parked') then true else false end`;

/**
 * $1 component, $2 subscriber, $3 how many to lease, $4 lease seconds, $5 how many to look at. Leases the due deliveries that are
 * first in their line and parks the others, so that they are not looked at again before their turn.
 *
 * What keeps a line from standing still: a delivery is parked only while the one it waits for is locked, unfinished and not itself
 * parked. So a line with parked deliveries always has one that is not, and whatever finishes that one waits for our lock and then
 * sees what it has to let go.
 */
export const CLAIM = `
with seen as materialized (
  select d.id, coalesce(
    (select l.id from delivery l
      where l.component_app_id = d.component_app_id and l.subscriber = d.subscriber and l.authorizer_app_id = d.authorizer_app_id
        and l.lease is not null),
    (select a.id from delivery a
      where a.component_app_id = d.component_app_id and a.subscriber = d.subscriber and a.authorizer_app_id = d.authorizer_app_id
        and a.state in ('waiting', 'parked') and a.position < d.position
      order by a.position limit 1)
  ) as ahead
  from delivery d
  where d.component_app_id = $1 and d.subscriber = $2 and d.state = 'waiting' and d.lease is null and d.due_at <= now()
  order by d.due_at, d.position
  limit $5
), first as (
  select d.id from delivery d
  where d.id = any (array(select id from seen where ahead is null)) and ${STILL_DUE}
  order by d.due_at, d.position
  limit $3
  for update skip locked
), behind as (
  select d.id, seen.ahead from delivery d join seen on seen.id = d.id
  where seen.ahead is not null and ${STILL_DUE}
  for update of d skip locked
), blocking as (
  select b.id, b.state from delivery b
  where b.id in (select ahead from behind) and ${STILL_UNFINISHED}
  for update skip locked
), freed as (
  update delivery d set state = 'waiting', due_at = now()
  from blocking
  where d.id = blocking.id and blocking.state = 'parked'
  returning d.id
), parked as (
  update delivery d set state = 'parked'
  from behind join blocking on blocking.id = behind.ahead
  where d.id = behind.id
  returning d.id
), leased as (
  update delivery d
  set lease = gen_random_uuid(), attempts = d.attempts + 1, due_at = now() + make_interval(secs => $4)
  from first
  where d.id = first.id
  returning d.id, d.lease, d.attempts, d.position, d.subscriber
)
select (select count(*)::int from seen) as seen, (select count(*)::int from parked) as parked,
       (select count(*)::int from freed) as freed, leased.*
from (select) as always left join (
  select leased.id::text, leased.lease, leased.attempts, leased.position::text, leased.subscriber, e.id as "eventId", e.type,
         coalesce(e.create_time, e.received_at) as time, e.component_app_id as "componentAppId",
         e.authorizer_app_id as "authorizerAppId", e.data
  from leased join event e on e.position = leased.position
  order by leased.position
) as leased on true`;

/**
 * $1 ids, $2 leases, $3 lease seconds. Answers which are still ours, and which of those are renewed: one that is locked, since its
 * handler's transaction is ending or hangs, must not keep the others from being renewed.
 */
export const RENEW = `
with held as materialized (
  select d.id, d.lease from unnest($1::bigint[], $2::uuid[]) as held (id, lease) join delivery d on d.id = held.id and d.lease = held.lease
), free as (
  select d.id from delivery d join held on d.id = held.id and d.lease = held.lease
  for update of d skip locked
), renewed as (
  update delivery d set due_at = now() + make_interval(secs => $3)
  from free
  where d.id = free.id
  returning d.id
)
select held.id::text, exists (select from renewed where renewed.id = held.id) as renewed from held`;

/**
 * $1 component, $2 seconds to wait by the number of the attempt that ended. One that is locked is being settled, or hangs with its
 * handler's transaction: it is looked at again, and keeps nobody waiting.
 */
export const EXPIRE_LEASES = `
with ended as (
  select d.id from delivery d
  where d.component_app_id = $1 and d.lease is not null and d.due_at <= now()
  for update skip locked
)
update delivery d
set lease = null, due_at = now() + make_interval(secs => coalesce(($2::float8[])[d.attempts], 0)),
    last_error = 'The process that was handling it stopped before it was done'
from ended
where d.id = ended.id`;

/** $1 id, $2 lease, $3 outcome, $4 error. The next in the line is let go; false when the lease is lost. See the migration. */
export const FINISH = 'select finish_delivery($1, $2, $3, $4) as finished';

/** $1 id, $2 lease, $3 delay in seconds, $4 error. */
export const FAIL = `
update delivery set lease = null, due_at = now() + make_interval(secs => $3), last_error = $4
where id = $1 and lease = $2
returning id`;

/** $1 ids, $2 leases, $3 delay in seconds. */
export const RELEASE = `
with released as (
  update delivery d set lease = null, due_at = now() + make_interval(secs => $3), attempts = attempts - 1
  from unnest($1::bigint[], $2::uuid[]) as held (id, lease)
  where d.id = held.id and d.lease = held.lease
  returning d.subscriber
)
select pg_notify('delivery', subscriber) from (select distinct subscriber from released) as woken`;
