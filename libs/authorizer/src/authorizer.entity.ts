import { type AccountType, type Attention } from '@app/events';
import { type AccountStatus } from '@app/wechat';
import { Column, Entity, PrimaryColumn } from 'typeorm';

export const AUTHORIZER_STATUSES = ['pending', 'authorized', 'unauthorized'] as const;
export type AuthorizerStatus = (typeof AUTHORIZER_STATUSES)[number];

/** What is known of one account that authorized, or was authorized to, this platform. Never deleted. */
@Entity('authorizer')
export class AuthorizerEntity {
  @PrimaryColumn('text', { name: 'component_app_id', primaryKeyConstraintName: 'pk_authorizer' })
  componentAppId: string;

  @PrimaryColumn('text', { name: 'app_id', primaryKeyConstraintName: 'pk_authorizer' })
  appId: string;

  /** The order in which accounts became known; a bigint, so text here. */
  @Column({ type: 'bigint', insert: false, update: false })
  id: string;

  @Column('text')
  status: AuthorizerStatus;

  @Column('text', { name: 'account_type' })
  accountType: AccountType;

  @Column('text', { name: 'nick_name', nullable: true })
  nickName: string | null;

  @Column('text', { name: 'user_name', nullable: true })
  userName: string | null;

  @Column('text', { name: 'principal_name', nullable: true })
  principalName: string | null;

  @Column('text', { nullable: true })
  alias: string | null;

  @Column('text', { name: 'head_image_url', nullable: true })
  headImageUrl: string | null;

  @Column('text', { name: 'qrcode_url', nullable: true })
  qrcodeUrl: string | null;

  @Column('boolean', { nullable: true })
  verified: boolean | null;

  @Column('text', { name: 'account_status', nullable: true })
  accountStatus: AccountStatus | null;

  @Column('integer', { name: 'permission_ids', array: true })
  permissionIds: number[];

  /** WeChat's answer as it was, without tokens. */
  @Column('jsonb', { nullable: true, select: false })
  profile: Record<string, unknown> | null;

  @Column('text', { name: 'tenant_id', nullable: true })
  tenantId: string | null;

  @Column('text', { nullable: true })
  state: string | null;

  @Column('text', { nullable: true })
  attention: Attention | null;

  @Column('text', { name: 'unauthorized_reason', nullable: true })
  unauthorizedReason: 'revoked' | 'reconciled' | null;

  @Column('timestamptz', { name: 'authorized_at', nullable: true })
  authorizedAt: Date | null;

  @Column('timestamptz', { name: 'unauthorized_at', nullable: true })
  unauthorizedAt: Date | null;

  /** With `eventPosition`: the newest event that took effect. Older ones change nothing any more. */
  @Column('timestamptz', { name: 'event_time', nullable: true })
  eventTime: Date | null;

  @Column('bigint', { name: 'event_position', nullable: true })
  eventPosition: string | null;

  @Column('timestamptz', { name: 'last_event_at', nullable: true })
  lastEventAt: Date | null;

  @Column('timestamptz', { name: 'profile_synced_at', nullable: true })
  profileSyncedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false, update: false })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', insert: false })
  updatedAt: Date;
}
