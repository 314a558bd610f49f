import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Authorization links, the pre-auth codes fetched for them, whom they brought, and the codes that come back with browsers. */
export class CreateLinks1763700000030 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table authorization_link (
        position             bigint generated always as identity,
        component_app_id     text not null,
        id                   text not null,
        tenant_id            text,
        state                text,
        auth_type            smallint,
        requested_app_id     text,
        permission_ids       integer[] not null default '{}',
        return_url           text,
        redirect_token       text not null,
        created_by           text not null,
        created_at           timestamptz(3) not null default now(),
        expires_at           timestamptz(3) not null,
        completed_app_id     text,
        completed_at         timestamptz(3),
        constraint pk_authorization_link primary key (component_app_id, id),
        constraint uq_authorization_link_position unique (position),
        constraint ck_authorization_link_completed check ((completed_app_id is null) = (completed_at is null))
      )`);
    await queryRunner.query(
      `create index ix_authorization_link_list on authorization_link (component_app_id, position desc)`,
    );
    await queryRunner.query(`
      create index ix_authorization_link_open on authorization_link (component_app_id, position desc)
        where completed_at is null`);
    await queryRunner.query(`
      create index ix_authorization_link_tenant on authorization_link (component_app_id, tenant_id, position desc)
        where tenant_id is not null`);
    // A row in state 'asked' is the right to ask WeChat: one process at a time per link.
    await queryRunner.query(`
      create table pre_auth_code (
        id               bigint generated always as identity,
        component_app_id text not null,
        link_id          text not null,
        state            text not null default 'asked',
        code_digest      bytea,
        code             text,
        asked_at         timestamptz(3) not null default now(),
        expires_at       timestamptz(3),
        constraint pk_pre_auth_code primary key (id),
        constraint fk_pre_auth_code_link foreign key (component_app_id, link_id)
          references authorization_link (component_app_id, id) on delete cascade,
        constraint ck_pre_auth_code_state check (state in ('asked', 'given', 'failed'))
      )`);
    await queryRunner.query(
      `create unique index uq_pre_auth_code_asked on pre_auth_code (component_app_id, link_id) where state = 'asked'`,
    );
    await queryRunner.query(
      `create unique index uq_pre_auth_code_digest on pre_auth_code (component_app_id, code_digest)`,
    );
    await queryRunner.query(
      `create index ix_pre_auth_code_link on pre_auth_code (component_app_id, link_id, asked_at desc)`,
    );
    await queryRunner.query(`
      create table link_binding (
        component_app_id   text not null,
        link_id            text not null,
        app_id             text not null,
        bound_at           timestamptz(3) not null default now(),
        conflict           text,
        conflict_tenant_id text,
        resolution         text,
        resolved_at        timestamptz(3),
        resolved_by        text,
        constraint pk_link_binding primary key (component_app_id, link_id, app_id),
        constraint fk_link_binding_link foreign key (component_app_id, link_id)
          references authorization_link (component_app_id, id) on delete cascade,
        constraint ck_link_binding_conflict check (conflict in ('other_tenant', 'other_account')),
        constraint ck_link_binding_tenant check (conflict <> 'other_tenant' or conflict_tenant_id is not null),
        constraint ck_link_binding_resolution check (resolution is null or resolution in ('keep', 'move') and conflict is not null)
      )`);
    await queryRunner.query(`
      create index ix_link_binding_conflict on link_binding (component_app_id, link_id)
        where conflict is not null and resolution is null`);
    await queryRunner.query(`
      create table returned_code (
        id               uuid not null default gen_random_uuid(),
        component_app_id text not null,
        code_digest      bytea not null,
        code             text,
        link_id          text,
        received_at      timestamptz(3) not null default clock_timestamp(),
        app_id           text,
        outcome          text,
        constraint pk_returned_code primary key (id),
        constraint uq_returned_code_digest unique (component_app_id, code_digest),
        constraint ck_returned_code_outcome check (outcome in ('authorized', 'refused', 'lost', 'superseded'))
      )`);
    await queryRunner.query(
      `create index ix_returned_code_link on returned_code (component_app_id, link_id, received_at desc)`,
    );
    await queryRunner.query(`alter table code_exchange add column app_id text`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('alter table code_exchange drop column app_id');
    await queryRunner.query('drop table returned_code');
    await queryRunner.query('drop table link_binding');
    await queryRunner.query('drop table pre_auth_code');
    await queryRunner.query('drop table authorization_link');
  }
}
