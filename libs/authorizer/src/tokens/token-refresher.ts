import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { EventOutbox, isLockTimeout } from '@app/events';
import { type AccessToken, PlatformCredentialService, WechatApiError, WechatClient } from '@app/wechat';
import { DataSource, type EntityManager } from 'typeorm';
import { AuthorizerError } from '../authorizer.errors.js';
import { AuthorizerRecords } from '../authorizer-records.js';
import { allowForWaiting, type LockedCredential, type RefreshedTokens } from '../credential.js';
import { CredentialStore } from '../credential-store.js';
import { SyncRuns } from '../reconcile/sync-runs.js';
import { type Remedy, remedyOf } from './refresh-failure.js';
import { Turnstile } from './turnstile.js';

/** Refreshes that hold, or wait for, a row's lock at once: each keeps a connection of the pool, and another for the platform's token. */
const REFRESHES_AT_ONCE = 6;
/** A refresh asks WeChat at most three times, and mostly once; who waits longer for it is told to come again. */
const LOCK_TIMEOUT_MS = 15_000;
/** After this no more calls are begun or waited for under the lock. */
const HOLD_MS = 18_000;
/** A token this young is as good as there will be: should WeChat give short-lived ones, it is not asked for each caller. */
const YOUNG_MS = 60_000;
/** As the time that a token must be good for: WeChat is asked, whatever is kept. */
export const ASK_ANYWAY = Infinity;
/** So many callers wait for a search at once, for so long. */
const WAIT_AT_ONCE = 4;
const SEARCH_MS = 2_000;
const LOOK_EVERY_MS = 100;
const NO_TOKEN = 'WeChat gives no tokens for this account; it may lack API ability';
const NO_TOKEN_PAUSE_MS = 600_000;

/** A credential under its row's lock, and what fires when that has been held for long enough. */
interface Hold {
  readonly tx: EntityManager;
  readonly appId: string;
  readonly credential: LockedCredential;
  readonly signal: AbortSignal;
}

/** How one turn at the row ended. */
type Turn =
  | { readonly kind: 'token'; readonly token: AccessToken }
  | { readonly kind: 'no_credential' }
  | { readonly kind: 'failed'; readonly failure: AuthorizerError; readonly stillGood: AccessToken | null }
  /** The list is to be searched for a refresh token; `cause` where this turn found out. */
  | { readonly kind: 'lost'; readonly cause: unknown; readonly stillGood: AccessToken | null };

/**
 * Fetches access tokens for accounts: for one account, one process at a time.
 *
 * The credential's row is locked while WeChat is asked. Whoever waited for the lock finds what the first one brought, be it a token
 * or the time before which WeChat is not asked again. A revocation or a new authorization waits for the same lock and comes after.
 */
@Injectable()
export class TokenRefresher {
  private readonly logger = new Logger(TokenRefresher.name);
  private waiting = 0;
  private readonly turnstile = new Turnstile(REFRESHES_AT_ONCE, LOCK_TIMEOUT_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly client: WechatClient,
    private readonly platform: PlatformCredentialService,
    private readonly credentials: CredentialStore,
    private readonly outbox: EventOutbox,
    private readonly records: AuthorizerRecords,
    private readonly runs: SyncRuns,
  ) {}

  /**
   * A token good for more than `minLeftMs`: what another process has fetched meanwhile, else a new one; null when nothing is kept for
   * the account. Where WeChat gives none, a token that has not ended yet, however little is left of it.
   *
   * @throws AuthorizerError WECHAT_UNAVAILABLE, REAUTHORIZATION_REQUIRED, NOT_AUTHORIZED, ACCOUNT_FROZEN
   */
  async refresh(appId: string, minLeftMs: number): Promise<AccessToken | null> {
    const turn = await this.turnstile.pass(() => this.takeTurn(appId, minLeftMs), takesTooLong);
    switch (turn.kind) {
      case 'token':
        return turn.token;
      case 'no_credential':
        return null;
      case 'failed':
        if (turn.failure.code === 'ACCOUNT_FROZEN')
          await this.outbox.transaction((tx) => this.records.requireAttention(tx, appId, 'account_frozen'));
        return turn.stillGood ?? Promise.reject(turn.failure);
      case 'lost':
        return this.awaitSearch(appId, minLeftMs, turn);
    }
  }

  /** Fetches the token that a disputed one leaves wanting. Where that fails, the next who asks for it is the one to fetch it. */
  async replaceDisputed(appId: string): Promise<void> {
    await this.refresh(appId, 0).catch((error: Error) =>
      this.logger.warn(`The token of ${appId} was not fetched at once: ${error.message}`),
    );
  }

  /** The search of the list is one for all who need it, and keeps what it finds. A short one is worth waiting for. */
  private async awaitSearch(
    appId: string,
    minLeftMs: number,
    { cause, stillGood }: Extract<Turn, { kind: 'lost' }>,
  ): Promise<AccessToken | null> {
    const retryAfterSeconds = await this.runs.search();
    if (stillGood) return stillGood;
    if (await this.isSearchedFor(appId)) return this.refresh(appId, minLeftMs);
    const detail = "The refresh token is not accepted; WeChat's list of accounts is being searched for another";
    throw new AuthorizerError('WECHAT_UNAVAILABLE', { detail, cause, retryAfterSeconds });
  }

  /** Few wait, and not for long: where many tokens are lost the list is long too. */
  private async isSearchedFor(appId: string): Promise<boolean> {
    if (this.waiting >= WAIT_AT_ONCE) return false;
    this.waiting += 1;
    try {
      for (const deadline = performance.now() + SEARCH_MS; performance.now() < deadline; await sleep(LOOK_EVERY_MS))
        if (!(await this.credentials.isLost(appId))) return true;
      return false;
    } finally {
      this.waiting -= 1;
    }
  }

  private async takeTurn(appId: string, minLeftMs: number): Promise<Turn> {
    try {
      return await this.dataSource.transaction(async (tx) => {
        await allowForWaiting(tx);
        await tx.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
        const credential = await this.credentials.lock(tx, appId);
        if (!credential) return { kind: 'no_credential' };
        const hold = { tx, appId, credential, signal: AbortSignal.timeout(HOLD_MS) };
        return standingOf(credential, minLeftMs) ?? (await this.ask(hold));
      });
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      throw takesTooLong(error);
    }
  }

  private async ask(hold: Hold): Promise<Turn> {
    const { refreshToken } = hold.credential;
    try {
      if (refreshToken === null) return await this.askForAnother(hold, null);
      return await this.redeem(hold, refreshToken);
    } catch (error) {
      const remedy = remedyOf(error);
      if (remedy.kind === 'wait' || remedy.kind === 'freeze') return this.pause(hold, remedy, error);
      return this.askForAnother(hold, error);
    }
  }

  /** The account's information holds the refresh token that is good now. If not, the list may, which is not searched under the lock. */
  private async askForAnother(hold: Hold, cause: unknown): Promise<Turn> {
    const { tx, appId, credential, signal } = hold;
    try {
      const profile = await this.platform.call((token) => this.client.authorizerInfo(token, appId, { signal }));
      if (profile.refreshToken && profile.refreshToken !== credential.refreshToken)
        return await this.redeem(hold, profile.refreshToken);
      if (credential.refreshToken === null) return await this.pauseWithoutToken(hold);
    } catch (error) {
      const next = remedyOf(error);
      if (next.kind === 'wait' || next.kind === 'freeze') return this.pause(hold, next, error);
    }
    await this.credentials.markLost(tx, appId);
    this.logger.warn(`The refresh token of ${appId} is not accepted; the list is searched for another`);
    return { kind: 'lost', cause, stillGood: stillGood(credential) };
  }

  private async redeem({ tx, appId, signal }: Hold, refreshToken: string): Promise<Turn> {
    const granted = await this.platform.call((token) =>
      this.client.authorizerToken(token, appId, refreshToken, { signal }),
    );
    const refreshed: RefreshedTokens = {
      accessToken: granted.accessToken,
      accessTokenExpiresAt: new Date(Date.now() + granted.expiresInSeconds * 1000),
      refreshToken: granted.refreshToken ?? refreshToken,
    };
    await this.credentials.keepRefreshed(tx, appId, refreshed);
    return { kind: 'token', token: { token: refreshed.accessToken, expiresAt: refreshed.accessTokenExpiresAt } };
  }

  /** Accounts without API ability are authorized, and there are no tokens for them. */
  private async pauseWithoutToken({ tx, appId, credential }: Hold): Promise<Turn> {
    await this.credentials.pause(tx, appId, new Date(Date.now() + NO_TOKEN_PAUSE_MS), NO_TOKEN);
    const failure = new AuthorizerError('REAUTHORIZATION_REQUIRED', { detail: NO_TOKEN });
    return { kind: 'failed', failure, stillGood: stillGood(credential) };
  }

  private async pause(
    { tx, appId, credential }: Hold,
    remedy: Exclude<Remedy, { kind: 'recover' | 'verify' }>,
    cause: unknown,
  ): Promise<Turn> {
    const { retryAfterSeconds } = remedy;
    const advice = cause instanceof WechatApiError ? `${cause.message}. ${cause.advice}` : (cause as Error).message;
    await this.credentials.pause(tx, appId, new Date(Date.now() + retryAfterSeconds * 1000), advice);
    this.logger.warn(`No token for ${appId}: ${advice}`);
    const failure =
      remedy.kind === 'freeze'
        ? new AuthorizerError('ACCOUNT_FROZEN', { detail: advice, cause })
        : new AuthorizerError('WECHAT_UNAVAILABLE', { detail: advice, cause, retryAfterSeconds });
    return { kind: 'failed', failure, stillGood: stillGood(credential) };
  }
}

function takesTooLong(cause?: unknown): AuthorizerError {
  return new AuthorizerError('WECHAT_UNAVAILABLE', {
    detail: 'Tokens are being fetched, and that has not ended in time',
    cause,
    retryAfterSeconds: 2,
  });
}

/** What the row alone says: a good token, a hopeless credential, or that it is too early to ask; null when WeChat is to be asked. */
function standingOf(credential: LockedCredential, minLeftMs: number): Turn | null {
  const token = stillGood(credential);
  const now = Date.now();
  const isYoung = now - (credential.issuedAt?.getTime() ?? 0) < YOUNG_MS;
  const isGood = token && token.expiresAt.getTime() - now > minLeftMs;
  if (token && (isGood || (isYoung && minLeftMs !== ASK_ANYWAY))) return { kind: 'token', token };
  if (credential.isLost) return { kind: 'lost', cause: undefined, stillGood: token };
  if (credential.isInvalid) {
    return { kind: 'failed', failure: new AuthorizerError('REAUTHORIZATION_REQUIRED'), stillGood: token };
  }
  const wait = credential.retryAt ? credential.retryAt.getTime() - now : 0;
  if (wait <= 0 || minLeftMs === ASK_ANYWAY) return null;
  const detail = credential.failure ?? undefined;
  if (credential.refreshToken === null)
    return { kind: 'failed', failure: new AuthorizerError('REAUTHORIZATION_REQUIRED', { detail }), stillGood: token };
  const failure = new AuthorizerError('WECHAT_UNAVAILABLE', { detail, retryAfterSeconds: Math.ceil(wait / 1000) });
  return { kind: 'failed', failure, stillGood: token };
}

function stillGood({ accessToken, accessTokenExpiresAt }: LockedCredential): AccessToken | null {
  if (accessToken === null || accessTokenExpiresAt === null || accessTokenExpiresAt.getTime() <= Date.now())
    return null;
  return { token: accessToken, expiresAt: accessTokenExpiresAt };
}
