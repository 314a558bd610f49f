import { Inject, Injectable } from '@nestjs/common';
import { type Attention } from '@app/events';
import { type ListedAuthorizer, WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { type EntityManager } from 'typeorm';
import { AuthorizerEntity } from '../authorizer.entity.js';
import { AuthorizerRecords, type Facts } from '../authorizer-records.js';
import { allowForWaiting, type Inquiry } from '../credential.js';
import { CredentialStore } from '../credential-store.js';

/** Our clock and WeChat's may differ by this much; news this young is left alone, whatever was read elsewhere. */
export const CLOCK_TOLERANCE_MS = 60_000;

/** What taking over an entry of WeChat's list came to. */
export type Adoption = 'nothing' | 'added' | 'restored';

/**
 * Brings records in line with what WeChat was found to say, without a push. Each method decides under the record's lock, and gives way
 * to every push that is newer than the finding.
 */
@Injectable()
export class ReconciledRecords {
  private readonly componentAppId: string;

  constructor(
    @Inject(WECHAT_OPTIONS) platform: WechatOptions,
    private readonly records: AuthorizerRecords,
    private readonly credentials: CredentialStore,
  ) {
    this.componentAppId = platform.appId;
  }

  /** The record under its lock, which everybody takes before the credential's; null when there is none. */
  async lock(tx: EntityManager, appId: string): Promise<AuthorizerEntity | null> {
    await allowForWaiting(tx);
    return tx.findOne(AuthorizerEntity, {
      where: { componentAppId: this.componentAppId, appId },
      lock: { mode: 'pessimistic_write' },
    });
  }

  /**
   * Revokes what WeChat, being asked, did not know. Answers false when it is revoked already, its credential is newer than the question,
   * or the code of a new authorization may be under way.
   */
  async noteDisappearance(tx: EntityManager, appId: string, { at: askedAt, point }: Inquiry): Promise<boolean> {
    const record = await this.lock(tx, appId);
    if (!record || record.status === 'unauthorized') return false;
    const isExchanged = record.authorizedAt?.getTime() === record.eventTime?.getTime();
    if (!isExchanged && isYoung(record, askedAt)) return false;
    if (((await this.credentials.lock(tx, appId))?.version ?? 0n) > point) return false;
    const at = latest(new Date(askedAt.getTime() - CLOCK_TOLERANCE_MS), record.eventTime);
    const position = BigInt(record.eventPosition ?? 0);
    const isRevoked = await this.records.noteRevocation(tx, appId, { at, position }, 'reconciled');
    await this.keepLastEvent(tx, record);
    return isRevoked;
  }

  /** A credential was found after all: nobody need authorize again. */
  async noteRestored(tx: EntityManager, appId: string): Promise<void> {
    await tx.update(
      AuthorizerEntity,
      { componentAppId: this.componentAppId, appId, attention: 'reauthorization_required' },
      { attention: null, updatedAt: new Date() },
    );
  }

  /** Has the list searched for the refresh token of an authorized account that has none. Another that is kept stays as it is. */
  async noteLoss(tx: EntityManager, appId: string): Promise<void> {
    const record = await this.lock(tx, appId);
    if (!record || record.status === 'unauthorized') return;
    const kept = await this.credentials.lock(tx, appId);
    if (kept?.refreshToken && !kept.isInvalid) return;
    await this.credentials.markLost(tx, appId);
  }

  /** Where the refresh token is lost still, and was when WeChat was asked, only the merchant can help. */
  async giveUp(tx: EntityManager, appId: string, { point }: Inquiry): Promise<void> {
    const kept = await this.credentials.lock(tx, appId);
    if (!kept?.isLost || kept.version > point) return;
    if (kept.refreshToken || kept.accessToken) await this.credentials.markInvalid(tx, appId);
    else await this.credentials.erase(tx, appId);
    await this.records.requireAttention(tx, appId, 'reauthorization_required');
  }

  /**
   * Takes over an entry of the list: an account never heard of, or held for revoked, becomes pending with its refresh token (its
   * profile completes it); an authorized one gets a refresh token it lacks, or is known to have none that works.
   */
  async adopt(tx: EntityManager, entry: ListedAuthorizer, inquiry: Inquiry, runId: string | null): Promise<Adoption> {
    const { authorizerAppId: appId } = entry;
    await allowForWaiting(tx);
    if (await this.insert(tx, entry, runId)) {
      await this.begin(tx, entry);
      return 'added';
    }
    const record = await this.lock(tx, appId);
    if (!record) return 'nothing';
    const isLost = (await this.credentials.lock(tx, appId))?.isLost;
    if (record.status === 'authorized' || isLost) return this.restore(tx, entry, inquiry);
    if (!isAuthorizedAgain(record, entry, inquiry.at)) return 'nothing';
    if (record.status === 'pending') return this.restore(tx, entry, inquiry);
    await this.reopen(tx, record, entry);
    await this.begin(tx, entry);
    return 'added';
  }

  /** Completes what was taken over, once its profile is read. Answers false when that is not how it stands. */
  async complete(
    tx: EntityManager,
    appId: string,
    facts: Facts,
    attention: Attention | null,
    readAt: Date,
  ): Promise<boolean> {
    const record = await this.lock(tx, appId);
    if (record?.status !== 'pending' || isYoung(record, readAt)) return false;
    if (!(await this.credentials.lock(tx, appId))?.refreshToken) return false;
    const moment = { at: record.eventTime ?? readAt, position: BigInt(record.eventPosition ?? 0) };
    await this.records.completeAuthorization(tx, appId, moment, facts, attention);
    await this.keepLastEvent(tx, record);
    return true;
  }

  /** Without a refresh token, its code was never exchanged: that of a push may yet be, others only the merchant can bring. */
  private async begin(tx: EntityManager, { authorizerAppId: appId, refreshToken }: ListedAuthorizer): Promise<void> {
    if (refreshToken) await this.credentials.keepListed(tx, appId, refreshToken);
    else await this.records.requireAttention(tx, appId, 'reauthorization_required');
  }

  private async insert(tx: EntityManager, { authorizerAppId, authTime }: ListedAuthorizer, runId: string | null) {
    const rows = await tx.query<unknown[]>(
      `insert into authorizer (component_app_id, app_id, event_time, event_position, last_seen_run)
       values ($1, $2, $3, case when $3::timestamptz is null then null else 0 end, $4)
       on conflict do nothing returning app_id`,
      [this.componentAppId, authorizerAppId, authTime, runId],
    );
    return rows.length > 0;
  }

  /** The watermark moves up to the authorization, never down. */
  private async reopen(tx: EntityManager, record: AuthorizerEntity, { authTime }: ListedAuthorizer): Promise<void> {
    const isLater = authTime !== null && (record.eventTime === null || authTime > record.eventTime);
    await tx.update(
      AuthorizerEntity,
      { componentAppId: this.componentAppId, appId: record.appId },
      { status: 'pending', updatedAt: new Date(), ...(isLater && { eventTime: authTime, eventPosition: '0' }) },
    );
  }

  private async restore(
    tx: EntityManager,
    { authorizerAppId: appId, refreshToken }: ListedAuthorizer,
    inquiry: Inquiry,
  ): Promise<Adoption> {
    const kept = await this.credentials.lock(tx, appId);
    if (kept && kept.version > inquiry.point) return 'nothing';
    const works = kept?.refreshToken && !kept.isLost && !kept.isInvalid;
    if (works) await this.noteRestored(tx, appId);
    if (works || !refreshToken || refreshToken === kept?.refreshToken) {
      await this.giveUp(tx, appId, inquiry);
      return 'nothing';
    }
    await this.credentials.keepListed(tx, appId, refreshToken);
    await this.noteRestored(tx, appId);
    return 'restored';
  }

  /** No event came, so the last one stays the last. */
  private async keepLastEvent(tx: EntityManager, { appId, lastEventAt }: AuthorizerEntity): Promise<void> {
    await tx.update(AuthorizerEntity, { componentAppId: this.componentAppId, appId }, { lastEventAt });
  }
}

/**
 * Whether the list knows better: it shows an authorization younger than the revocation we heard of, or a revocation that we only
 * concluded, or a code that was never exchanged. A push of the last minute is left to its own handling.
 */
function isAuthorizedAgain(record: AuthorizerEntity, { authTime }: ListedAuthorizer, readAt: Date): boolean {
  const { status, eventTime, unauthorizedReason } = record;
  if (isYoung(record, readAt)) return false;
  if (status === 'pending' || unauthorizedReason === 'reconciled' || eventTime === null) return true;
  return authTime !== null && authTime > eventTime;
}

function latest(one: Date, other: Date | null): Date {
  return other && other > one ? other : one;
}

/** Whether a push came so shortly before that its own handling may be under way. What was taken over has no push. */
function isYoung({ eventTime, eventPosition }: AuthorizerEntity, readAt: Date): boolean {
  return eventTime !== null && eventPosition !== '0' && eventTime.getTime() > readAt.getTime() - CLOCK_TOLERANCE_MS;
}
