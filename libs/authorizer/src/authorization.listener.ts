import { Injectable, Logger } from '@nestjs/common';
import { type DeliveryContext, type DomainEventOf, EventOutbox, EventSecrets, OnDomainEvent } from '@app/events';
import { type Authorization, WechatApiError } from '@app/wechat';
import { type EntityManager } from 'typeorm';
import { AuthorizerProfiles } from './authorizer-profiles.js';
import { AuthorizerRecords, type Moment } from './authorizer-records.js';
import { CodeExchange, type ExchangeOutcome } from './code-exchange.js';
import { CredentialRecovery } from './credential-recovery.js';
import { type Credential, type Inquiry } from './credential.js';
import { CredentialStore } from './credential-store.js';
import { LinkBindings } from './links/link-bindings.js';
import { SyncRuns } from './reconcile/sync-runs.js';
import { TokenRefresher } from './tokens/token-refresher.js';

type AuthorizationPush = DomainEventOf<
  'wechat.authorized' | 'wechat.updateauthorized' | 'wechat.notify_third_fasteregister'
>;

/** What a push leads to: a stored credential, none as far as the account itself tells, or nothing, because of newer news. */
type Outcome = 'stored' | 'frozen' | 'none' | 'superseded';
type Granted = Extract<ExchangeOutcome, { kind: 'granted' }>;

/** Keeps the records of authorizers true to what WeChat pushes. An ordinary subscriber: what it can do, a neighbour can. */
@Injectable()
export class AuthorizationListener {
  private readonly logger = new Logger(AuthorizationListener.name);

  constructor(
    private readonly outbox: EventOutbox,
    private readonly secrets: EventSecrets,
    private readonly records: AuthorizerRecords,
    private readonly codes: CodeExchange,
    private readonly credentials: CredentialStore,
    private readonly recovery: CredentialRecovery,
    private readonly profiles: AuthorizerProfiles,
    private readonly links: LinkBindings,
    private readonly refresher: TokenRefresher,
    private readonly runs: SyncRuns,
  ) {}

  /** Notes at once what was pushed, without asking WeChat, so that a revocation never waits for an exchange. */
  @OnDomainEvent(
    ['wechat.authorized', 'wechat.updateauthorized', 'wechat.notify_third_fasteregister', 'wechat.unauthorized'],
    {
      subscriber: 'authorizer.record',
    },
  )
  async record(
    event: AuthorizationPush | DomainEventOf<'wechat.unauthorized'>,
    delivery: DeliveryContext,
  ): Promise<void> {
    const appId = event.authorizerAppId;
    if (appId === null || isFailedRegistration(event)) return;
    const moment = momentOf(event, delivery);
    await delivery.transaction(async (tx) => {
      const applied =
        event.type === 'wechat.unauthorized'
          ? await this.records.noteRevocation(tx, appId, moment, 'revoked')
          : await this.records.noteAuthorization(tx, appId, moment);
      if (!applied) delivery.supersede();
    });
  }

  /** Exchanges the code for a credential, reads the profile, completes the record and announces it. */
  @OnDomainEvent(['wechat.authorized', 'wechat.updateauthorized', 'wechat.notify_third_fasteregister'], {
    subscriber: 'authorizer.exchange',
  })
  async exchange(event: AuthorizationPush, delivery: DeliveryContext): Promise<void> {
    const appId = event.authorizerAppId;
    if (appId === null || isFailedRegistration(event)) return;
    const moment = momentOf(event, delivery);
    const outcome = await this.obtainCredential(event.id, appId, moment);
    const { facts, attention } =
      outcome === 'stored' ? await this.profiles.read(appId) : { facts: {}, attention: null };
    await delivery.transaction(async (tx) => {
      // The record first and then the event, as the other subscriber of this event locks them.
      const isCurrent = await this.records.isCurrent(tx, appId, moment);
      await this.secrets.erase(tx, event.id);
      if (!isCurrent) delivery.supersede();
      else if (outcome === 'frozen') await this.records.requireAttention(tx, appId, 'account_frozen');
      else if (outcome === 'none') await this.noteLoss(tx, appId);
      else await this.records.completeAuthorization(tx, appId, moment, facts, attention);
    });
    if (outcome === 'none') await this.runs.search();
  }

  private async obtainCredential(eventId: string, appId: string, moment: Moment): Promise<Outcome> {
    const { AuthorizationCode, auth_code, PreAuthCode } = await this.secrets.open(eventId);
    const isNews = await this.outbox.transaction(async (tx) => {
      const isNews = await this.records.noteAuthorization(tx, appId, moment);
      // Before the secrets are erased, so that what follows may fail and be tried again. A newer authorization leaves the link as true
      // as it was; a newer revocation does not.
      if (PreAuthCode !== undefined && (isNews || (await this.records.isStanding(tx, appId))))
        await this.links.bindByPreAuthCode(tx, appId, PreAuthCode);
      return isNews;
    });
    if (!isNews) return 'superseded';
    const code = AuthorizationCode ?? auth_code;
    try {
      if (code === undefined) return await this.withoutCode(appId, moment);
      const exchanged = await this.codes.exchange(code);
      if (exchanged.kind === 'granted') return await this.take(eventId, appId, moment, code, exchanged);
      // The browser brought the same code first.
      if (exchanged.appId === appId && (await this.credentials.find(appId))) return 'stored';
      return await this.afterSpentCode(eventId, appId, moment, code);
    } catch (error) {
      if (!(error instanceof WechatApiError)) throw error;
      if (error.reaction === 'account_state') return 'frozen';
      // Refused for good: the account may have withdrawn already, or have come by another code.
      if (error.reaction === 'reauthorize' && code !== undefined)
        return this.afterSpentCode(eventId, appId, moment, code);
      throw error;
    }
  }

  /** The code is erased in the transaction that stores its tokens: without it, an earlier attempt came that far. */
  private async withoutCode(appId: string, moment: Moment): Promise<Outcome> {
    if (await this.credentials.find(appId)) return 'stored';
    const inquiry = await this.credentials.inquire();
    const recovered = await this.recovery.recover(appId);
    return recovered ? this.keep(appId, moment, recovered, inquiry) : 'none';
  }

  /** Used up, expired, or sent without our hearing the answer: WeChat knows what became of it. */
  private async afterSpentCode(eventId: string, appId: string, moment: Moment, code: string): Promise<Outcome> {
    const inquiry = await this.credentials.inquire();
    const recovered = await this.recovery.recover(appId);
    if (recovered) return this.keep(appId, moment, recovered, inquiry, code);
    const again = await this.codes.sendAgain(code);
    return again.kind === 'granted' ? this.take(eventId, appId, moment, code, again) : 'none';
  }

  /** A code that stands for another account than the push says is of no use to this one, and its tokens least of all. */
  private async take(eventId: string, appId: string, moment: Moment, code: string, granted: Granted): Promise<Outcome> {
    const owner = granted.authorization.authorizerAppId;
    if (owner === appId) return this.store(eventId, appId, moment, code, granted);
    this.logger.error(`The code that was pushed for ${appId} stands for ${owner}`);
    await this.outbox.transaction((tx) => this.codes.noteExchanged(tx, code, owner));
    return this.withoutCode(appId, moment);
  }

  /** Tokens first, in a transaction of their own: nothing that fails later can lose them. */
  private async store(
    eventId: string,
    appId: string,
    moment: Moment,
    code: string,
    { authorization, inquiry }: Granted,
  ): Promise<Outcome> {
    const stored = await this.outbox.transaction(async (tx) => {
      await this.codes.noteExchanged(tx, code, appId);
      const isCurrent = await this.records.isCurrent(tx, appId, moment);
      if (isCurrent) await this.links.bindByReturnedCode(tx, appId, code);
      const kept = isCurrent && (await this.credentials.keepGranted(tx, appId, credentialOf(authorization), inquiry));
      // Last, because a refresh may hold the credential for long, and all subscribers of the event would wait with us.
      await this.secrets.erase(tx, eventId);
      return kept;
    });
    if (stored === 'disputed') await this.refresher.replaceDisputed(appId);
    return stored ? 'stored' : 'superseded';
  }

  private async keep(
    appId: string,
    moment: Moment,
    credential: Credential,
    inquiry: Inquiry,
    code?: string,
  ): Promise<Outcome> {
    return this.outbox.transaction(async (tx) => {
      if (code !== undefined) await this.codes.noteExchanged(tx, code, appId);
      if (!(await this.records.isCurrent(tx, appId, moment))) return 'superseded';
      if (code !== undefined) await this.links.bindByReturnedCode(tx, appId, code);
      await this.credentials.keepRecovered(tx, appId, credential, inquiry);
      return 'stored';
    });
  }

  /** An earlier authorization's refresh token stays as it is; where there is none, WeChat's list is searched for one. */
  private async noteLoss(tx: EntityManager, appId: string): Promise<void> {
    if ((await this.credentials.lock(tx, appId))?.refreshToken)
      await this.records.requireAttention(tx, appId, 'reauthorization_required');
    else await this.credentials.markLost(tx, appId);
  }
}

function momentOf({ time }: { time: string }, { position }: DeliveryContext): Moment {
  return { at: new Date(time), position };
}

/** Of a fast registration only `status` 0 authorizes an account. */
function isFailedRegistration(event: AuthorizationPush | DomainEventOf<'wechat.unauthorized'>): boolean {
  return event.type === 'wechat.notify_third_fasteregister' && event.data.status !== '0';
}

/** The tokens of an exchanged code, with the time at which they end. */
export function credentialOf({
  accessToken,
  expiresInSeconds,
  refreshToken,
  permissionIds,
}: Authorization): Credential {
  const accessTokenExpiresAt = expiresInSeconds === null ? null : new Date(Date.now() + expiresInSeconds * 1000);
  return { accessToken, accessTokenExpiresAt, refreshToken, permissionIds };
}
