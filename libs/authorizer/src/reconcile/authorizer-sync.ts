import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { EventOutbox } from '@app/events';
import { type AccountProfile, PlatformCredentialService, WechatApiError, WechatClient } from '@app/wechat';
import { type EntityManager } from 'typeorm';
import { AuthorizerError } from '../authorizer.errors.js';
import { readingOf } from '../authorizer-profiles.js';
import { AuthorizerRecords } from '../authorizer-records.js';
import { type Inquiry } from '../credential.js';
import { CredentialStore } from '../credential-store.js';
import { remedyOf } from '../tokens/refresh-failure.js';
import { ASK_ANYWAY, TokenRefresher } from '../tokens/token-refresher.js';
import { CLOCK_TOLERANCE_MS, ReconciledRecords } from './reconciled-records.js';
import { SyncRuns } from './sync-runs.js';

/**
 * What reading one account again came to. `kept`: WeChat's answer is no reason to change anything; `disowned`: neither, but WeChat says
 * that the account has not authorized us, and nobody has looked for it in the list.
 */
export type SyncOutcome = 'refreshed' | 'revoked' | 'frozen' | 'kept' | 'disowned';

/** How long an operator waits for the search of the list. */
const SEARCH_MS = 10_000;
const LOOK_EVERY_MS = 100;

/** Reads accounts again from WeChat, one at a time, and brings their records up to date. */
@Injectable()
export class AuthorizerSync {
  constructor(
    private readonly outbox: EventOutbox,
    private readonly client: WechatClient,
    private readonly platform: PlatformCredentialService,
    private readonly records: AuthorizerRecords,
    private readonly reconciled: ReconciledRecords,
    private readonly credentials: CredentialStore,
    private readonly refresher: TokenRefresher,
    private readonly runs: SyncRuns,
  ) {}

  /**
   * Reads the account now, whatever was known of it. Where WeChat says that it has not authorized us, the list is searched for it, and
   * waited for a few seconds.
   *
   * @throws AuthorizerError UNKNOWN_AUTHORIZER; WECHAT_UNAVAILABLE when WeChat could not be asked, or the list takes longer
   */
  async readNow(appId: string): Promise<void> {
    if (!(await this.records.find(appId))) throw new AuthorizerError('UNKNOWN_AUTHORIZER');
    try {
      if ((await this.read(appId, 'listed')) === 'disowned') await this.searchFor(appId);
    } catch (error) {
      if (error instanceof AuthorizerError) throw error;
      const remedy = remedyOf(error);
      const retryAfterSeconds = 'retryAfterSeconds' in remedy ? remedy.retryAfterSeconds : 60;
      const detail = error instanceof WechatApiError ? `${error.message}. ${error.advice}` : undefined;
      throw new AuthorizerError('WECHAT_UNAVAILABLE', { detail, cause: error, retryAfterSeconds });
    }
  }

  /** @throws WechatApiError, WechatUnavailable when WeChat could not be asked */
  async read(appId: string, listed: 'listed' | 'absent', signal?: AbortSignal): Promise<SyncOutcome> {
    const inquiry = await this.credentials.inquire();
    let profile: AccountProfile;
    try {
      const options = signal ? { signal } : {};
      profile = await this.platform.call((token) => this.client.authorizerInfo(token, appId, options));
    } catch (error) {
      return this.afterRefusal(appId, listed, inquiry, error);
    }
    return this.outbox.transaction((tx) => this.takeOver(tx, profile, inquiry));
  }

  private async afterRefusal(
    appId: string,
    listed: 'listed' | 'absent',
    inquiry: Inquiry,
    error: unknown,
  ): Promise<SyncOutcome> {
    const remedy = remedyOf(error);
    if (remedy.kind === 'wait') throw error;
    if (remedy.kind === 'recover') return 'kept';
    if (remedy.kind === 'freeze') {
      const isNoted = await this.outbox.transaction((tx) => this.records.requireAttention(tx, appId, 'account_frozen'));
      return isNoted ? 'frozen' : 'kept';
    }
    if (listed === 'listed') return 'disowned';
    const isRevoked = await this.outbox.transaction((tx) => this.reconciled.noteDisappearance(tx, appId, inquiry));
    return isRevoked ? 'revoked' : 'kept';
  }

  /** A second opinion first: where WeChat gives a token, all is well. Where it does not, the refresh token is noted as lost. */
  private async searchFor(appId: string): Promise<void> {
    const isKept = await this.refresher.refresh(appId, ASK_ANYWAY).catch((error: unknown) => {
      if (!(error instanceof AuthorizerError)) throw error;
      return error.code !== 'REAUTHORIZATION_REQUIRED';
    });
    if (!isKept) await this.outbox.transaction((tx) => this.reconciled.noteLoss(tx, appId));
    const retryAfterSeconds = await this.runs.search();
    for (const deadline = performance.now() + SEARCH_MS; await this.credentials.isLost(appId);) {
      if (performance.now() > deadline)
        throw new AuthorizerError('WECHAT_UNAVAILABLE', { detail: 'The list is being searched', retryAfterSeconds });
      await sleep(LOOK_EVERY_MS);
    }
  }

  private async takeOver(tx: EntityManager, profile: AccountProfile, inquiry: Inquiry): Promise<SyncOutcome> {
    const { appId: authorizerAppId, refreshToken } = profile;
    // An account that answers is authorized at this moment, unless it withdrew within the tolerance.
    const authTime = new Date(inquiry.at.getTime() - CLOCK_TOLERANCE_MS);
    await this.reconciled.adopt(tx, { authorizerAppId, refreshToken, authTime }, inquiry, null);
    const { facts, attention } = readingOf(profile, inquiry.at);
    if (await this.reconciled.complete(tx, authorizerAppId, facts, attention, inquiry.at)) return 'refreshed';
    const record = await this.reconciled.lock(tx, authorizerAppId);
    if (record?.status !== 'authorized') return 'kept';
    await this.records.refreshFacts(tx, authorizerAppId, facts, attention);
    return 'refreshed';
  }
}
