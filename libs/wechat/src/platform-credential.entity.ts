import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Why WeChat gives no component_access_token, or refuses the platform as such in any other call. */
export interface PlatformFailure {
  /** The API that failed, by WeChat's name; null when none was asked. */
  readonly api: string | null;
  /** WeChat's errcode, or null when it gave no answer. */
  readonly errcode: number | null;
  /** What an operator should do. */
  readonly advice: string;
  /** Our address as WeChat saw it, where it refused that address (61004). */
  readonly requestIp: string | null;
}

/** The platform's newest ticket and its token, sealed. One row per component. */
@Entity('platform_credential')
export class PlatformCredentialEntity {
  @PrimaryColumn('text', { name: 'component_app_id', primaryKeyConstraintName: 'pk_platform_credential' })
  componentAppId: string;

  @Column('text', { nullable: true })
  ticket: string | null;

  @Column('timestamptz', { name: 'ticket_create_time', nullable: true })
  ticketCreateTime: Date | null;

  @Column('timestamptz', { name: 'ticket_received_at', nullable: true })
  ticketReceivedAt: Date | null;

  @Column('text', { name: 'access_token', nullable: true })
  accessToken: string | null;

  @Column('timestamptz', { name: 'access_token_expires_at', nullable: true })
  accessTokenExpiresAt: Date | null;

  /** When WeChat gave it; null for tokens from before this was noted. */
  @Column('timestamptz', { name: 'access_token_issued_at', nullable: true })
  accessTokenIssuedAt: Date | null;

  /** Until when reports of dead tokens have been spent; see `spendReport`. */
  @Column('timestamptz', { name: 'reports_spent_until', nullable: true })
  reportsSpentUntil: Date | null;

  @Column('jsonb', { name: 'last_failure', nullable: true })
  lastFailure: PlatformFailure | null;

  @Column('timestamptz', { name: 'last_failure_at', nullable: true })
  lastFailureAt: Date | null;

  /** When a push last came under the token, or the key, from before a rotation; noted about once a minute. */
  @Column('timestamptz', { name: 'previous_token_used_at', nullable: true })
  previousTokenUsedAt: Date | null;

  @Column('timestamptz', { name: 'previous_aes_key_used_at', nullable: true })
  previousAesKeyUsedAt: Date | null;
}
