import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** When pushes last came under the secrets from before a rotation, so that an operator sees when those may go. */
export class NotePreviousSecrets1763700000011 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      alter table platform_credential
        add column previous_token_used_at timestamptz,
        add column previous_aes_key_used_at timestamptz`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'alter table platform_credential drop column previous_token_used_at, drop column previous_aes_key_used_at',
    );
  }
}
