import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** The tables of the outbox: what happened, who is told, and how far the telling has come. */
export class CreateEvents1763700000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table subscriber (
        component_app_id text not null,
        name             text not null,
        types            text[] not null,
        registered_at    timestamptz not null default now(),
        last_seen_at     timestamptz not null default now(),
        constraint pk_subscriber primary key (component_app_id, name)
      )`);
    await queryRunner.query(`
      create table event (
        position          bigint generated always as identity,
        id                uuid not null,
        component_app_id  text not null,
        type              text not null,
        authorizer_app_id text,
        create_time       timestamptz,
        received_at       timestamptz(3) not null default clock_timestamp(),
        data              jsonb not null,
        secret_names      text[] not null default '{}',
        secrets           text,
        failure           text,
        superseded        boolean not null default false,
        open_deliveries   integer not null,
        dead_deliveries   integer not null default 0,
        processed_at      timestamptz,
        status            text not null generated always as (
          case
            when failure is not null or dead_deliveries > 0 then 'failed'
            when open_deliveries > 0 then 'received'
            when superseded then 'superseded'
            else 'processed'
          end
        ) stored,
        constraint pk_event primary key (position),
        constraint uq_event_id unique (id),
        constraint ck_event_deliveries check (open_deliveries >= 0 and dead_deliveries >= 0)
      )`);
    await queryRunner.query(`
      create table delivery (
        id                bigint generated always as identity,
        position          bigint not null,
        subscriber        text not null,
        component_app_id  text not null,
        authorizer_app_id text,
        state             text not null default 'waiting',
        attempts          integer not null default 0,
        due_at            timestamptz not null default now(),
        lease             uuid,
        last_error        text,
        created_at        timestamptz not null default now(),
        finished_at       timestamptz,
        constraint pk_delivery primary key (id),
        constraint uq_delivery_position_subscriber unique (position, subscriber),
        constraint fk_delivery_event foreign key (position) references event (position) on delete cascade,
        constraint ck_delivery_state check (state in ('waiting', 'parked', 'done', 'dead')),
        constraint ck_delivery_lease check (lease is null or state = 'waiting')
      )`);
    const line = 'component_app_id, subscriber, authorizer_app_id';
    // No two handlers of one subscriber for one authorizer at a time: the database refuses the second lease.
    await queryRunner.query(
      `create unique index uq_delivery_leased_line on delivery (${line}) where lease is not null`,
    );
    await queryRunner.query(
      `create index ix_delivery_line on delivery (${line}, position) where state in ('waiting', 'parked')`,
    );
    await queryRunner.query(`create index ix_delivery_parked on delivery (${line}, position) where state = 'parked'`);
    // In the order in which they are claimed: many that are due at the same instant need no sorting.
    await queryRunner.query(`
      create index ix_delivery_due on delivery (component_app_id, subscriber, due_at, position)
        where state = 'waiting' and lease is null`);
    await queryRunner.query(
      `create index ix_delivery_unfinished on delivery (component_app_id, state, id desc) where state <> 'done'`,
    );
    await queryRunner.query(
      `create index ix_delivery_dead on delivery (component_app_id, subscriber, id desc) where state = 'dead'`,
    );
    for (const [name, columns, only] of [
      ['ix_event_push', 'component_app_id', ''],
      ['ix_event_authorizer', 'component_app_id, authorizer_app_id', ''],
      ['ix_event_type', 'component_app_id, type', ''],
      ['ix_event_unsettled', 'component_app_id, status', "and status <> 'processed'"],
    ]) {
      await queryRunner.query(
        `create index ${name} on event (${columns}, received_at desc, position desc) where type like 'wechat.%' ${only}`,
      );
    }
    await queryRunner.query(`create index ix_event_secrets on event (position) where secrets is not null`);
    // A queue leaves dead rows at the front of its indexes; vacuum by the share of a table with a long history comes too late.
    for (const table of ['delivery', 'event']) {
      await queryRunner.query(
        `alter table ${table} set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02)`,
      );
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table delivery');
    await queryRunner.query('drop table event');
    await queryRunner.query('drop table subscriber');
  }
}
