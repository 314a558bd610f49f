import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** How old codes are found to be removed. */
export class TightenLinks1763700000052 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'create index ix_returned_code_settled on returned_code (component_app_id, received_at) where outcome is not null',
    );
    await queryRunner.query('create index ix_pre_auth_code_asked on pre_auth_code (component_app_id, asked_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop index ix_pre_auth_code_asked');
    await queryRunner.query('drop index ix_returned_code_settled');
  }
}
