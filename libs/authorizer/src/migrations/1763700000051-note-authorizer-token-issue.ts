import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** When WeChat gave an access token, so that a token just given is not refreshed on somebody's word. */
export class NoteAuthorizerTokenIssue1763700000051 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'alter table authorizer_credential add column access_token_issued_at timestamptz, add column reports_spent_until timestamptz',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'alter table authorizer_credential drop column reports_spent_until, drop column access_token_issued_at',
    );
  }
}
