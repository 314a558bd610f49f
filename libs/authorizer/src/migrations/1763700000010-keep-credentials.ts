import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What keeping credentials alive needs: news about them for every process, pauses after failures, and reconciliation runs. */
export class KeepCredentials1763700000010 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`alter table authorizer add column last_seen_run bigint`);
    // One order for all credentials: what was written after a question to WeChat is told from what was there before.
    await queryRunner.query('create sequence credential_version');
    await queryRunner.query(`
      alter table authorizer_credential
        add column version bigint not null default nextval('credential_version'),
        add column lost boolean not null default false,
        add column retry_at timestamptz,
        add column failure text`);
    await queryRunner.query(
      'create index ix_authorizer_credential_lost on authorizer_credential (component_app_id) where lost',
    );
    // A trigger, so that no writer can forget to tell the processes that hold the token in memory.
    await queryRunner.query(`
      create function tell_credential_changed() returns trigger language plpgsql as $$
      declare
        changed authorizer_credential := coalesce(new, old);
      begin
        perform pg_notify('credential', changed.component_app_id || ' ' || changed.app_id);
        return null;
      end $$`);
    await queryRunner.query(`
      create trigger tr_authorizer_credential_changed
        after insert or delete or update of access_token, access_token_expires_at, refresh_token, invalid
        on authorizer_credential for each row execute function tell_credential_changed()`);
    await queryRunner.query(`
      create table sync_run (
        id               bigint generated always as identity,
        component_app_id text not null,
        requested_by     text not null,
        status           text not null default 'running',
        phase            text not null default 'list',
        next_offset      integer not null default 0,
        after_app_id     text not null default '',
        total            integer,
        listed           integer not null default 0,
        added            integer not null default 0,
        restored         integer not null default 0,
        revoked          integer not null default 0,
        refreshed        integer not null default 0,
        failed           integer not null default 0,
        reason           text,
        resume_at        timestamptz,
        lease            uuid,
        lease_until      timestamptz,
        started_at       timestamptz not null default now(),
        started_point    bigint not null default nextval('credential_version'),
        listed_at        timestamptz,
        progressed_at    timestamptz not null default now(),
        finished_at      timestamptz,
        constraint pk_sync_run primary key (id),
        constraint ck_sync_run_status check (status in ('running', 'paused', 'done', 'failed')),
        constraint ck_sync_run_phase check (phase in ('list', 'missing', 'profiles')),
        constraint ck_sync_run_requested_by check (requested_by in ('operator', 'schedule')),
        constraint ck_sync_run_finished check ((finished_at is null) = (status in ('running', 'paused')))
      )`);
    // One at a time: the database refuses the second.
    await queryRunner.query(
      `create unique index uq_sync_run_unfinished on sync_run (component_app_id) where finished_at is null`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table sync_run');
    await queryRunner.query('drop trigger tr_authorizer_credential_changed on authorizer_credential');
    await queryRunner.query('drop function tell_credential_changed()');
    await queryRunner.query(
      'alter table authorizer_credential drop column version, drop column lost, drop column retry_at, drop column failure',
    );
    await queryRunner.query('drop sequence credential_version');
    await queryRunner.query('alter table authorizer drop column last_seen_run');
  }
}
