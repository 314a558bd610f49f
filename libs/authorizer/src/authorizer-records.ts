import { Inject, Injectable } from '@nestjs/common';
import {
  type Attention,
  type AuthorizerChanges,
  type AuthorizerFacts,
  EventOutbox,
  type Permission,
} from '@app/events';
import { type AccountProfile, permissionName, WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { DataSource, type EntityManager, type QueryDeepPartialEntity } from 'typeorm';
import { AuthorizerEntity } from './authorizer.entity.js';
import { allowForWaiting } from './credential.js';
import { CredentialStore } from './credential-store.js';

/** The point in the order of one authorizer's events at which something happened. */
export interface Moment {
  readonly at: Date;
  readonly position: bigint;
  /**
   * Set where `at` is our clock and not WeChat's: such news gives way to a revocation that may be newer, and never holds back what
   * WeChat dates itself.
   */
  readonly undated?: true;
}

/** Whose account it is, as an authorization link says; null says nothing about it. */
export interface Binding {
  readonly tenantId: string | null;
  readonly state: string | null;
}

/** What became of an authorizer: whatever is left out stays as it is. */
export type Facts = Partial<Pick<AuthorizerEntity, (typeof FACTS)[number] | 'profile' | 'profileSyncedAt'>>;

/** What `authorizer.updated` reports changes of, by the names admins see. Permissions are reported apart. */
const FACTS = [
  'accountType',
  'nickName',
  'userName',
  'principalName',
  'alias',
  'headImageUrl',
  'qrcodeUrl',
  'verified',
  'accountStatus',
  'permissionIds',
  'tenantId',
  'state',
] as const;

/**
 * The record of every authorizer. Each method changes one record under its row lock, together with the events about the change, so
 * that concurrent, repeated and late news all settle on the newest.
 */
@Injectable()
export class AuthorizerRecords {
  private readonly componentAppId: string;

  constructor(
    @Inject(WECHAT_OPTIONS) platform: WechatOptions,
    private readonly dataSource: DataSource,
    private readonly outbox: EventOutbox,
    private readonly credentials: CredentialStore,
  ) {
    this.componentAppId = platform.appId;
  }

  async find(appId: string): Promise<AuthorizerEntity | null> {
    return this.dataSource.manager.findOneBy(AuthorizerEntity, this.keyOf(appId));
  }

  /** Notes that an authorization was pushed; its code is yet to be exchanged. Answers false when something newer is known. */
  async noteAuthorization(tx: EntityManager, appId: string, moment: Moment): Promise<boolean> {
    const record = await this.lock(tx, appId);
    if (isOlder(moment, record)) return false;
    const status = record.status === 'authorized' ? 'authorized' : 'pending';
    await this.update(tx, appId, { status, ...watermark(moment) });
    return true;
  }

  /** Revokes the authorization and erases the tokens. Answers false when something newer is known. */
  async noteRevocation(
    tx: EntityManager,
    appId: string,
    moment: Moment,
    reason: 'revoked' | 'reconciled',
  ): Promise<boolean> {
    const record = await this.lock(tx, appId);
    if (isOlder(moment, record) || isRepeated(moment, record, reason)) return false;
    await this.credentials.erase(tx, appId);
    const revoked = {
      status: 'unauthorized',
      unauthorizedAt: moment.at,
      unauthorizedReason: reason,
      attention: null,
    } as const;
    if (record.status === 'unauthorized') {
      await this.update(tx, appId, watermark(moment));
      return true;
    }
    await this.update(tx, appId, { ...revoked, ...watermark(moment) });
    const { tenantId, state } = record;
    await this.outbox.publish(tx, {
      ...this.about(appId),
      type: 'authorizer.unauthorized',
      data: { tenantId, state, reason },
    });
    return true;
  }

  /** Whether the credential won at this moment may still be stored: nothing newer has happened to the authorizer. */
  async isCurrent(tx: EntityManager, appId: string, moment: Moment): Promise<boolean> {
    return !isOlder(moment, await this.lock(tx, appId));
  }

  /** Whether the account is authorized, or was so last that was heard of it. */
  async isStanding(tx: EntityManager, appId: string): Promise<boolean> {
    return (await this.lock(tx, appId)).status !== 'unauthorized';
  }

  /**
   * Completes an authorization whose credential is stored, and which `isCurrent`. Announces `authorizer.authorized` when the account
   * was not authorized before, else `authorizer.updated`.
   */
  async completeAuthorization(
    tx: EntityManager,
    appId: string,
    moment: Moment,
    facts: Facts,
    attention: Attention | null,
  ): Promise<void> {
    const record = await this.lock(tx, appId);
    const news = isOutdated(facts, record) ? {} : facts;
    const known = { ...record, ...news };
    const wasAuthorized = record.status === 'authorized';
    if (wasAuthorized) await this.announceChanges(tx, record, known);
    else await this.outbox.publish(tx, { ...this.about(appId), type: 'authorizer.authorized', data: announced(known) });
    await this.update(tx, appId, {
      ...news,
      status: 'authorized',
      authorizedAt: wasAuthorized ? record.authorizedAt : moment.at,
      unauthorizedAt: null,
      unauthorizedReason: null,
      ...watermark(moment),
    });
    await this.setAttention(tx, record, attention ?? (await this.attentionOfCredential(tx, record)));
  }

  /**
   * Binds the account to a tenant, and announces that where the account is authorized already.
   *
   * @returns null, or the tenant it is bound to instead: unless `move` is set, another tenant is never replaced
   */
  async bind(tx: EntityManager, appId: string, binding: Binding, { move = false } = {}): Promise<string | null> {
    const record = await this.lock(tx, appId);
    const tenantId = binding.tenantId ?? record.tenantId;
    const state = binding.state ?? record.state;
    if (!move && record.tenantId !== null && tenantId !== record.tenantId) return record.tenantId;
    if (record.status === 'authorized') await this.announceChanges(tx, record, { ...record, tenantId, state });
    await this.update(tx, appId, { tenantId, state });
    return null;
  }

  /** Takes over what WeChat says of an account that is authorized; announces what is different. */
  async refreshFacts(tx: EntityManager, appId: string, facts: Facts, attention: Attention | null): Promise<void> {
    const record = await this.lock(tx, appId);
    if (record.status !== 'authorized' || isOutdated(facts, record)) return;
    await this.announceChanges(tx, record, { ...record, ...facts });
    await this.update(tx, appId, facts);
    await this.setAttention(tx, record, attention ?? (await this.attentionOfCredential(tx, record)));
  }

  /** Notes why a person must act, and announces it once. Answers false of an account that is no longer authorized: nobody need act. */
  async requireAttention(tx: EntityManager, appId: string, attention: Attention): Promise<boolean> {
    const record = await this.lock(tx, appId);
    if (record.status === 'unauthorized') return false;
    await this.setAttention(tx, record, attention);
    return true;
  }

  /** What an account says of itself, that it is well or frozen, says nothing of the credential that we have of it. */
  private async attentionOfCredential(
    tx: EntityManager,
    { appId, attention: before }: AuthorizerEntity,
  ): Promise<Attention | null> {
    const needsMerchant = await this.credentials.needsMerchant(tx, appId);
    const isLost = needsMerchant ?? before === 'reauthorization_required';
    return isLost ? 'reauthorization_required' : null;
  }

  private async setAttention(
    tx: EntityManager,
    { appId, attention: before }: AuthorizerEntity,
    attention: Attention | null,
  ): Promise<void> {
    if (attention === before) return;
    await this.update(tx, appId, { attention });
    if (attention === null) return;
    await this.outbox.publish(tx, { ...this.about(appId), type: 'authorizer.attention_required', data: { attention } });
  }

  private async announceChanges(tx: EntityManager, before: AuthorizerEntity, after: AuthorizerEntity): Promise<void> {
    const changes = changesBetween(before, after);
    const { fields, permissionsGranted, permissionsWithdrawn } = changes;
    if (fields.length + permissionsGranted.length + permissionsWithdrawn.length === 0) return;
    const data = { ...announced(after), changes };
    await this.outbox.publish(tx, { ...this.about(before.appId), type: 'authorizer.updated', data });
  }

  private async update(tx: EntityManager, appId: string, facts: Partial<AuthorizerEntity>): Promise<void> {
    const values = { ...facts, updatedAt: new Date() } as QueryDeepPartialEntity<AuthorizerEntity>;
    await tx.update(AuthorizerEntity, this.keyOf(appId), values);
  }

  private async lock(tx: EntityManager, appId: string): Promise<AuthorizerEntity> {
    await allowForWaiting(tx);
    await tx.query('insert into authorizer (component_app_id, app_id) values ($1, $2) on conflict do nothing', [
      this.componentAppId,
      appId,
    ]);
    return tx.findOneOrFail(AuthorizerEntity, { where: this.keyOf(appId), lock: { mode: 'pessimistic_write' } });
  }

  private keyOf(appId: string): { componentAppId: string; appId: string } {
    return { componentAppId: this.componentAppId, appId };
  }

  private about(appId: string): { componentAppId: string; authorizerAppId: string } {
    return { componentAppId: this.componentAppId, authorizerAppId: appId };
  }
}

/** What the record takes over from WeChat's account information. */
export function factsOf({ raw, refreshToken: _, appId: __, ...profile }: AccountProfile, askedAt: Date): Facts {
  return { ...profile, profile: raw, profileSyncedAt: askedAt };
}

/** Whether WeChat was asked for what the record says after it was asked for these. */
function isOutdated({ profileSyncedAt }: Facts, record: AuthorizerEntity): boolean {
  return !!profileSyncedAt && !!record.profileSyncedAt && profileSyncedAt < record.profileSyncedAt;
}

/** Whether this very revocation took effect before, and an authorization without a date came after it. */
function isRepeated({ position }: Moment, record: AuthorizerEntity, reason: 'revoked' | 'reconciled'): boolean {
  return reason === 'revoked' && record.status !== 'unauthorized' && record.eventPosition === position.toString();
}

export function permissionsOf(ids: readonly number[]): Permission[] {
  return ids.map((id) => ({ id, name: permissionName(id) }));
}

/** By CreateTime; within one second, by arrival. What is undated loses to a revocation by either. */
function isOlder({ at, position, undated }: Moment, { status, eventTime, eventPosition }: AuthorizerEntity): boolean {
  if (!eventTime || eventPosition === null) return false;
  if (undated) return status === 'unauthorized' && (at < eventTime || position < BigInt(eventPosition));
  if (at.getTime() !== eventTime.getTime()) return at < eventTime;
  return position < BigInt(eventPosition);
}

function watermark({ at, position, undated }: Moment): Partial<AuthorizerEntity> {
  if (undated) return {};
  return { eventTime: at, eventPosition: position.toString(), lastEventAt: at };
}

function announced({ accountType, permissionIds, tenantId, state }: AuthorizerEntity): AuthorizerFacts {
  return { accountType, permissions: permissionsOf(permissionIds), tenantId, state };
}

function changesBetween(before: AuthorizerEntity, after: AuthorizerEntity): AuthorizerChanges {
  const without = (ids: number[], others: number[]) => ids.filter((id) => !others.includes(id));
  const changed = (name: (typeof FACTS)[number]) => JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  return {
    fields: FACTS.filter(changed).map((name) => (name === 'permissionIds' ? 'permissions' : name)),
    permissionsGranted: permissionsOf(without(after.permissionIds, before.permissionIds)),
    permissionsWithdrawn: permissionsOf(without(before.permissionIds, after.permissionIds)),
  };
}
