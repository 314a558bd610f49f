import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreateCrmTenant1763700000021 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table crm_tenant (
        component_app_id text not null,
        app_id           text not null,
        tenant_id        text,
        authorizations   integer not null default 1,
        position         bigint not null,
        provisioned_at   timestamptz not null default now(),
        constraint pk_crm_tenant primary key (component_app_id, app_id)
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table crm_tenant');
  }
}
