import { Injectable } from '@nestjs/common';
import { type DeliveryContext, type DomainEventOf, EventOutbox, OnDomainEvent } from '@app/events';
import { WechatApiError } from '@app/wechat';
import { type EntityManager } from 'typeorm';
import { credentialOf } from '../authorization.listener.js';
import { AuthorizerError } from '../authorizer.errors.js';
import { AuthorizerProfiles } from '../authorizer-profiles.js';
import { AuthorizerRecords, type Moment } from '../authorizer-records.js';
import { CodeExchange, type ExchangeOutcome } from '../code-exchange.js';
import { CredentialStore } from '../credential-store.js';
import { SyncRuns } from '../reconcile/sync-runs.js';
import { TokenRefresher } from '../tokens/token-refresher.js';
import { LinkBindings } from './link-bindings.js';
import { type ReturnedCode, ReturnedCodes, type ReturnOutcome } from './returned-codes.js';

type Granted = Extract<ExchangeOutcome, { kind: 'granted' }>;

/** Codes live for an hour; what was not exchanged by then never will be. */
const CODE_LIFE_MS = 65 * 60 * 1000;
/** When a code was exchanged that somebody else exchanged: whatever revocation is on record came after that. */
const BEFORE_ANY_REVOCATION: Moment = { at: new Date(0), position: 0n, undated: true };
/** Where WeChat's answer was lost, the push of the same authorization has these first attempts to find out before anybody is told. */
const ATTEMPTS_LEFT_TO_THE_PUSH = 3;
/** WeChat's list is read for a lost answer, but not again for each of many. */
const RECONCILED_SECONDS = 600;

/**
 * Exchanges the codes that come home with browsers, through the same narrow door as those that are pushed: whichever is first is sent
 * to WeChat, the other finds what came of it. Where the answer was lost the code is not sent again, because it does not say whose it is,
 * and so WeChat cannot be asked what became of it: the push, which names the account, settles both.
 */
@Injectable()
export class ReturnedCodeListener {
  constructor(
    private readonly outbox: EventOutbox,
    private readonly returnedCodes: ReturnedCodes,
    private readonly exchanges: CodeExchange,
    private readonly records: AuthorizerRecords,
    private readonly credentials: CredentialStore,
    private readonly profiles: AuthorizerProfiles,
    private readonly links: LinkBindings,
    private readonly refresher: TokenRefresher,
    private readonly syncRuns: SyncRuns,
  ) {}

  @OnDomainEvent('internal.code_returned', { subscriber: 'authorizer.returned_code', concurrency: 4 })
  async exchange(event: DomainEventOf<'internal.code_returned'>, delivery: DeliveryContext): Promise<void> {
    const returned = await this.returnedCodes.find(event.data.returnedCodeId);
    if (!returned || returned.outcome !== null) return;
    const { id, code } = returned;
    const moment = momentOf(returned, delivery);
    // The code is kept until there is an account or an outcome.
    if (code === null) return this.complete(id, returned.appId!, moment, delivery);
    const sent = await this.send(code, returned.receivedAt, delivery.attempt);
    if (sent === 'refused') return this.settle(id, 'refused', delivery);
    // WeChat's list shows whether the account is authorized after all.
    if (sent === 'lost') await this.syncRuns.startWhenDue(RECONCILED_SECONDS);
    if (sent === 'lost' || sent === 'exchanged') return this.joinPush(returned, code, delivery);
    if (!(await this.store(returned, code, sent, moment))) return this.settle(id, 'superseded', delivery);
    return this.complete(id, sent.authorization.authorizerAppId, moment, delivery);
  }

  /** What the code brought, or why nothing. `refused`: WeChat knows the code and will not have it, at its first and only sending. */
  private async send(
    code: string,
    receivedAt: Date,
    attempt: number,
  ): Promise<Granted | 'exchanged' | 'refused' | 'lost'> {
    if (Date.now() - receivedAt.getTime() > CODE_LIFE_MS) return 'lost';
    const exchanged = await unlessRefused(() => this.exchanges.exchange(code));
    if (exchanged === 'refused') return 'refused';
    if (exchanged.kind === 'granted') return exchanged;
    if (exchanged.state !== 'unknown') return exchanged.state;
    if (attempt <= ATTEMPTS_LEFT_TO_THE_PUSH) throw new AuthorizerError('EXCHANGE_UNDER_WAY');
    return 'lost';
  }

  /** Tokens, tenant and account in one transaction: nothing that fails later can lose them. Answers false after a revocation. */
  private async store(
    { id, linkId }: ReturnedCode,
    code: string,
    { authorization, inquiry }: Granted,
    moment: Moment,
  ): Promise<boolean> {
    const appId = authorization.authorizerAppId;
    const stored = await this.outbox.transaction(async (tx) => {
      await this.exchanges.noteExchanged(tx, code, appId);
      if (!(await this.records.noteAuthorization(tx, appId, moment))) return false;
      const kept = await this.credentials.keepGranted(tx, appId, credentialOf(authorization), inquiry);
      if (linkId !== null) await this.links.bind(tx, appId, linkId);
      await this.returnedCodes.noteAccount(tx, id, appId);
      return kept;
    });
    if (stored === 'disputed') await this.refresher.replaceDisputed(appId);
    return stored !== false;
  }

  /**
   * The push brought the same code first and does the rest; the link is what it may not know of. Under the lock of the code, so that
   * where its answer is lost either this finds the push that settles it now, or that push finds the code and its link.
   */
  private async joinPush({ id, linkId }: ReturnedCode, code: string, delivery: DeliveryContext): Promise<void> {
    await delivery.transaction(async (tx) => {
      const appId = await this.exchanges.accountOf(tx, code);
      await this.returnedCodes.settle(tx, id, await this.join(tx, appId, linkId), appId);
    });
  }

  private async join(tx: EntityManager, appId: string | null, linkId: string | null): Promise<ReturnOutcome> {
    if (appId === null) return 'lost';
    if (!(await this.records.isCurrent(tx, appId, BEFORE_ANY_REVOCATION))) return 'superseded';
    if (linkId !== null) await this.links.bind(tx, appId, linkId);
    return 'authorized';
  }

  private async settle(id: string, outcome: ReturnOutcome, delivery: DeliveryContext): Promise<void> {
    await delivery.transaction((tx) => this.returnedCodes.settle(tx, id, outcome, null));
  }

  private async complete(id: string, appId: string, moment: Moment, delivery: DeliveryContext): Promise<void> {
    const { facts, attention } = await this.profiles.read(appId);
    await delivery.transaction(async (tx) => {
      const isCurrent = await this.records.isCurrent(tx, appId, moment);
      if (isCurrent) await this.records.completeAuthorization(tx, appId, moment, facts, attention);
      else delivery.supersede();
      await this.returnedCodes.settle(tx, id, isCurrent ? 'authorized' : 'superseded', appId);
    });
  }
}

/** Our clock, not WeChat's, and to the second, as WeChat dates. */
function momentOf({ receivedAt }: ReturnedCode, { position }: DeliveryContext): Moment {
  return { at: new Date(Math.floor(receivedAt.getTime() / 1000) * 1000), position, undated: true };
}

async function unlessRefused(send: () => Promise<ExchangeOutcome>): Promise<ExchangeOutcome | 'refused'> {
  try {
    return await send();
  } catch (error) {
    const isRefused =
      error instanceof WechatApiError && (error.reaction === 'reauthorize' || error.reaction === 'account_state');
    if (isRefused) return 'refused';
    throw error;
  }
}
