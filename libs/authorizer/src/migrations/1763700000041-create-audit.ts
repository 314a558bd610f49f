import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What operators did: one row before an action, one after it, and neither is ever changed. */
export class CreateAudit1763700000041 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table audit_entry (
        id               bigint generated always as identity,
        component_app_id text not null,
        at               timestamptz(3) not null default clock_timestamp(),
        actor_name       text not null,
        actor_kind       text not null,
        actor_role       text not null,
        action           text not null,
        target           text,
        address          text not null,
        constraint pk_audit_entry primary key (id)
      )`);
    await queryRunner.query(`
      create table audit_outcome (
        entry_id    bigint not null,
        finished_at timestamptz(3) not null default clock_timestamp(),
        status      integer not null,
        code        text,
        target      text,
        rows        integer,
        constraint pk_audit_outcome primary key (entry_id),
        constraint fk_audit_outcome_entry foreign key (entry_id) references audit_entry (id)
      )`);
    const place = 'at desc, id desc';
    await queryRunner.query(`create index ix_audit_entry_list on audit_entry (component_app_id, ${place})`);
    await queryRunner.query(
      `create index ix_audit_entry_actor on audit_entry (component_app_id, actor_name, ${place})`,
    );
    await queryRunner.query(`create index ix_audit_entry_action on audit_entry (component_app_id, action, ${place})`);
    await queryRunner.query(`create index ix_audit_entry_target on audit_entry (target) where target is not null`);
    await queryRunner.query(`create index ix_audit_outcome_target on audit_outcome (target) where target is not null`);
    await queryRunner.query(`
      create function refuse_change() returns trigger language plpgsql as $$
      begin
        raise exception 'What was done cannot be undone: % is append-only', tg_table_name using errcode = 'restrict_violation';
      end $$`);
    for (const table of ['audit_entry', 'audit_outcome']) {
      await queryRunner.query(`
        create trigger tr_${table}_append_only before update or delete or truncate on ${table}
          for each statement execute function refuse_change()`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table audit_outcome');
    await queryRunner.query('drop table audit_entry');
    await queryRunner.query('drop function refuse_change()');
  }
}
