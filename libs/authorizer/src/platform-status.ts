import { Inject, Injectable } from '@nestjs/common';
import { EventLog } from '@app/events';
import { PlatformCredentialEntity, WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { DataSource } from 'typeorm';
import { SyncRuns } from './reconcile/sync-runs.js';
import { AuthorizerService } from './authorizer.service.js';
import { LinkStore } from './links/link-store.js';

const TICKET_LIFE_SECONDS = 12 * 3600;
const PREVIOUS_SECRET_IDLE_MS = 24 * 3600 * 1000;
/** WeChat pushes a ticket about every ten minutes; three missed in a row are no accident. */
const TICKET_LATE_SECONDS = 30 * 60;
const OUTAGE_NEWS_MS = 15 * 60 * 1000;

/** One thing that is wrong, and what to do about it. */
interface Reason {
  readonly code: string;
  readonly severity: 'degraded' | 'down';
  readonly message: string;
}

/** Tells an operator at a glance whether authorization works, and if not, why. */
@Injectable()
export class PlatformStatus {
  private readonly componentAppId: string;

  constructor(
    @Inject(WECHAT_OPTIONS) private readonly platform: WechatOptions,
    private readonly dataSource: DataSource,
    private readonly authorizers: AuthorizerService,
    private readonly log: EventLog,
    private readonly runs: SyncRuns,
    private readonly links: LinkStore,
  ) {
    this.componentAppId = platform.appId;
  }

  async read() {
    const [credential, authorizers, [lastPush], deadDeliveries, lastReconcile, openConflicts] = await Promise.all([
      this.dataSource.manager.findOneBy(PlatformCredentialEntity, { componentAppId: this.componentAppId }),
      this.authorizers.countByStatus(),
      this.log.listPushes({ componentAppId: this.componentAppId, limit: 1 }),
      this.log.countDead(this.componentAppId),
      this.runs.latest(),
      this.links.countOpenConflicts(),
    ]);
    const reasons = [
      ticketReasons(credential),
      tokenReasons(credential),
      deliveryReasons(deadDeliveries),
      conflictReasons(openConflicts),
    ].flat();
    return {
      componentAppId: this.componentAppId,
      health: healthOf(reasons),
      reasons: reasons.map(({ code, message }) => ({ code, message })),
      ticket: ticketOf(credential),
      componentToken: tokenOf(credential),
      previousSecrets: previousSecretsOf(this.platform, credential),
      lastPush: lastPush ? { infoType: lastPush.infoType, receivedAt: lastPush.receivedAt } : null,
      lastReconcile,
      authorizers,
      deadDeliveries,
      openConflicts,
    };
  }
}

function ticketOf(credential: PlatformCredentialEntity | null) {
  const createTime = credential?.ticketCreateTime ?? null;
  return {
    receivedAt: credential?.ticketReceivedAt ?? null,
    createTime,
    ageSeconds: createTime && Math.round((Date.now() - createTime.getTime()) / 1000),
    expiresAt: createTime && new Date(createTime.getTime() + TICKET_LIFE_SECONDS * 1000),
  };
}

/** A secret from before a rotation may be removed once no push has needed it for a day: WeChat pushes tickets every ten minutes. */
function previousSecretsOf({ tokens, encodingAesKeys }: WechatOptions, credential: PlatformCredentialEntity | null) {
  const standing = (isConfigured: boolean, lastUsedAt: Date | null) => {
    const sinceUse = Date.now() - (lastUsedAt?.getTime() ?? 0);
    // It may have been used long ago, as the secret before another rotation.
    const isIdle = Math.min(sinceUse, process.uptime() * 1000) > PREVIOUS_SECRET_IDLE_MS;
    return { configured: isConfigured, lastUsedAt, mayBeRemoved: isConfigured && isIdle };
  };
  return {
    token: standing(tokens.length > 1, credential?.previousTokenUsedAt ?? null),
    encodingAesKey: standing(encodingAesKeys.length > 1, credential?.previousAesKeyUsedAt ?? null),
  };
}

function tokenOf(credential: PlatformCredentialEntity | null) {
  const expiresAt = credential?.accessTokenExpiresAt ?? null;
  const status = expiresAt === null ? 'missing' : expiresAt.getTime() > Date.now() ? 'valid' : 'expired';
  const failure = credential?.lastFailure ? { ...credential.lastFailure, at: credential.lastFailureAt } : null;
  return { status, expiresAt, lastFailure: failure };
}

function ticketReasons(credential: PlatformCredentialEntity | null): Reason[] {
  const { ageSeconds } = ticketOf(credential);
  if (ageSeconds === null) {
    const message =
      'No ticket has been pushed yet. Check the authorization event URL in the console, or start the pushing of tickets.';
    return [{ code: 'no_ticket', severity: 'down', message }];
  }
  if (ageSeconds > TICKET_LIFE_SECONDS) {
    const message =
      'The last ticket is over 12 hours old and has expired. Look at the rejections, then start the pushing of tickets.';
    return [{ code: 'ticket_expired', severity: 'down', message }];
  }
  if (ageSeconds > TICKET_LATE_SECONDS) {
    const message =
      'No ticket for over half an hour, though WeChat pushes one every ten minutes. Look at the rejections.';
    return [{ code: 'ticket_late', severity: 'degraded', message }];
  }
  return [];
}

function tokenReasons(credential: PlatformCredentialEntity | null): Reason[] {
  const { status, lastFailure } = tokenOf(credential);
  if (!lastFailure || isOver(lastFailure)) return [];
  const ip = lastFailure.requestIp ? ` WeChat saw the address ${lastFailure.requestIp}.` : '';
  const code = lastFailure.errcode === null ? 'wechat_unavailable' : `wechat_${lastFailure.errcode}`;
  return [{ code, severity: status === 'valid' ? 'degraded' : 'down', message: `${lastFailure.advice}.${ip}` }];
}

/** An outage is noted once and cleared by the next call that goes through; where nobody calls, it is not news for long. */
function isOver({ errcode, at }: { errcode: number | null; at: Date | null }): boolean {
  return errcode === null && Date.now() - (at?.getTime() ?? 0) > OUTAGE_NEWS_MS;
}

function deliveryReasons(dead: number): Reason[] {
  if (dead === 0) return [];
  const what = dead === 1 ? 'A delivery has' : `${dead} deliveries have`;
  const message = `${what} been given up. See /admin/wechat/deliveries?status=dead.`;
  return [{ code: 'dead_deliveries', severity: 'degraded', message }];
}

function conflictReasons(open: number): Reason[] {
  if (open === 0) return [];
  const accounts = open === 1 ? 'An account' : `${open} accounts`;
  const message = `${accounts} came with a link and may not be moved without a decision. See /admin/wechat/authorization-links?conflict=open.`;
  return [{ code: 'open_conflicts', severity: 'degraded', message }];
}

function healthOf(reasons: readonly Reason[]): 'ok' | 'degraded' | 'down' {
  if (reasons.some(({ severity }) => severity === 'down')) return 'down';
  return reasons.length > 0 ? 'degraded' : 'ok';
}
