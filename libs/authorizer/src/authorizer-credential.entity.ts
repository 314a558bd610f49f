import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The tokens of one authorizer, sealed. The row is gone when the authorization is. */
@Entity('authorizer_credential')
export class AuthorizerCredentialEntity {
  @PrimaryColumn('text', { name: 'component_app_id', primaryKeyConstraintName: 'pk_authorizer_credential' })
  componentAppId: string;

  @PrimaryColumn('text', { name: 'app_id', primaryKeyConstraintName: 'pk_authorizer_credential' })
  appId: string;

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

  @Column('text', { name: 'refresh_token', nullable: true })
  refreshToken: string | null;

  /** The place of the tokens in the order in which credentials came to be; a bigint, so text here. */
  @Column('bigint')
  version: string;

  /** There is no refresh token that WeChat accepts; its list is yet to be searched for one. */
  @Column('boolean')
  lost: boolean;

  /** WeChat has called the refresh token invalid, and no other was found. */
  @Column('boolean')
  invalid: boolean;

  /** What was granted with this credential, kept until the record is written. */
  @Column('integer', { name: 'permission_ids', array: true })
  permissionIds: number[];

  /** WeChat gave no token and is not asked again before this; null when it gave one. */
  @Column('timestamptz', { name: 'retry_at', nullable: true })
  retryAt: Date | null;

  /** What went wrong then, in words fit for an operator. */
  @Column('text', { nullable: true })
  failure: string | null;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date;
}
