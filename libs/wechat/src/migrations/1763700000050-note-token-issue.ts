import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** When WeChat gave the component token, so that a token just given is not renewed on somebody's word. */
export class NoteTokenIssue1763700000050 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'alter table platform_credential add column access_token_issued_at timestamptz, add column reports_spent_until timestamptz',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'alter table platform_credential drop column reports_spent_until, drop column access_token_issued_at',
    );
  }
}
