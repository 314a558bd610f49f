import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** News of the component token for every process that holds it in memory, on the channel of the accounts' tokens. */
export class TellPlatformCredential1763700000065 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create function tell_platform_credential_changed() returns trigger language plpgsql as $$
      begin
        perform pg_notify('credential', new.component_app_id);
        return null;
      end $$`);
    await queryRunner.query(`
      create trigger tr_platform_credential_changed
        after insert or update of access_token, access_token_expires_at
        on platform_credential for each row execute function tell_platform_credential_changed()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop trigger tr_platform_credential_changed on platform_credential');
    await queryRunner.query('drop function tell_platform_credential_changed()');
  }
}
