import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** The platform's own credential, and what was refused at its door. */
export class CreatePlatform1763700000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table platform_credential (
        component_app_id        text not null,
        ticket                  text,
        ticket_create_time      timestamptz,
        ticket_received_at      timestamptz,
        access_token            text,
        access_token_expires_at timestamptz,
        last_failure            jsonb,
        last_failure_at         timestamptz,
        constraint pk_platform_credential primary key (component_app_id)
      )`);
    await queryRunner.query(`
      create table push_rejection (
        id               bigint generated always as identity,
        component_app_id text not null,
        reason           text not null,
        rejected_at      timestamptz not null,
        remote_address   text not null,
        body_bytes       integer not null,
        app_id           text,
        push_timestamp   text,
        constraint pk_push_rejection primary key (id)
      )`);
    await queryRunner.query(`create index ix_push_rejection_component on push_rejection (component_app_id, id desc)`);
    await queryRunner.query(`
      create table push_rejection_count (
        component_app_id text not null,
        reason           text not null,
        count            bigint not null,
        first_at         timestamptz not null,
        last_at          timestamptz not null,
        constraint pk_push_rejection_count primary key (component_app_id, reason)
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table push_rejection_count');
    await queryRunner.query('drop table push_rejection');
    await queryRunner.query('drop table platform_credential');
  }
}
