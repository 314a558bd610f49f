import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Who has authorized the platform, with which credential, and which codes were sent to WeChat. */
export class CreateAuthorizer1763700000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table authorizer (
        id                  bigint generated always as identity,
        component_app_id    text not null,
        app_id              text not null,
        status              text not null default 'pending',
        account_type        text not null default 'unknown',
        nick_name           text,
        user_name           text,
        principal_name      text,
        alias               text,
        head_image_url      text,
        qrcode_url          text,
        verified            boolean,
        account_status      text,
        permission_ids      integer[] not null default '{}',
        profile             jsonb,
        tenant_id           text,
        state               text,
        attention           text,
        unauthorized_reason text,
        authorized_at       timestamptz,
        unauthorized_at     timestamptz,
        event_time          timestamptz,
        event_position      bigint,
        last_event_at       timestamptz,
        profile_synced_at   timestamptz,
        created_at          timestamptz not null default now(),
        updated_at          timestamptz not null default now(),
        constraint pk_authorizer primary key (component_app_id, app_id),
        constraint uq_authorizer_id unique (id),
        constraint ck_authorizer_status check (status in ('pending', 'authorized', 'unauthorized')),
        constraint ck_authorizer_attention
          check (attention in ('reauthorization_required', 'account_frozen', 'profile_unavailable'))
      )`);
    await queryRunner.query(`create index ix_authorizer_list on authorizer (component_app_id, (-id))`);
    await queryRunner.query(`
      create table authorizer_credential (
        component_app_id        text not null,
        app_id                  text not null,
        access_token            text,
        access_token_expires_at timestamptz,
        refresh_token           text,
        invalid                 boolean not null default false,
        permission_ids          integer[] not null default '{}',
        updated_at              timestamptz not null default now(),
        constraint pk_authorizer_credential primary key (component_app_id, app_id),
        constraint fk_authorizer_credential_authorizer foreign key (component_app_id, app_id)
          references authorizer (component_app_id, app_id) on delete cascade
      )`);
    await queryRunner.query(`
      create table code_exchange (
        component_app_id text not null,
        code_digest      bytea not null,
        state            text not null,
        sent_at          timestamptz not null default now(),
        constraint pk_code_exchange primary key (component_app_id, code_digest),
        constraint ck_code_exchange_state check (state in ('sent', 'unknown', 'exchanged', 'refused'))
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table code_exchange');
    await queryRunner.query('drop table authorizer_credential');
    await queryRunner.query('drop table authorizer');
  }
}
