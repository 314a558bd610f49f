import { Injectable, Logger } from '@nestjs/common';
import { type AccessToken } from '@app/wechat';
import { DataSource } from 'typeorm';
import { type Attention, isDatabaseAway } from '@app/events';
import { AuthorizerError } from './authorizer.errors.js';
import { AuthorizerProfiles } from './authorizer-profiles.js';
import { type Standing } from './credential.js';
import { CredentialStore } from './credential-store.js';
import { ReconciledRecords } from './reconcile/reconciled-records.js';
import { RecentlyAsked } from './tokens/recently-asked.js';
import { ReportedTokens } from './tokens/reported-tokens.js';
import { TokenCache } from './tokens/token-cache.js';
import { TokenRefresher } from './tokens/token-refresher.js';

/** What is handed out is good for this long, unless WeChat is away. */
const MIN_LEFT_MS = 5 * 60 * 1000;

/** An authorizer_access_token, and when it ends. */
export interface AuthorizerAccessToken {
  readonly accessToken: string;
  readonly expiresAt: Date;
}

/** Gives neighbouring modules the tokens with which they speak for an account. */
@Injectable()
export class AuthorizerTokenService {
  private readonly logger = new Logger(AuthorizerTokenService.name);
  private readonly flights = new Map<string, Promise<AccessToken>>();
  private readonly reports = new Map<string, Promise<'expired' | 'kept' | 'busy'>>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly cache: TokenCache,
    private readonly asked: RecentlyAsked,
    private readonly credentials: CredentialStore,
    private readonly refresher: TokenRefresher,
    private readonly reconciled: ReconciledRecords,
    private readonly profiles: AuthorizerProfiles,
    private readonly reported: ReportedTokens,
  ) {}

  /**
   * A token good for at least five more minutes: from memory, else from the database, else from WeChat, which is asked once however
   * many callers in however many processes wait for the answer. While WeChat gives none, a token that has not ended is given, even
   * if less than five minutes of it are left.
   *
   * @throws AuthorizerError UNKNOWN_AUTHORIZER; NOT_AUTHORIZED, REAUTHORIZATION_REQUIRED or ACCOUNT_FROZEN where only the merchant
   * can help; EXCHANGE_UNDER_WAY, WECHAT_UNAVAILABLE or DATABASE_UNAVAILABLE, with `retryAfterSeconds`, where asking again later may help
   */
  async getAccessToken(appId: string): Promise<AuthorizerAccessToken> {
    const token = this.cache.find(appId, MIN_LEFT_MS) ?? (await this.fly(appId));
    this.asked.note(appId, token.expiresAt);
    return { accessToken: token.token, expiresAt: token.expiresAt };
  }

  /**
   * For a caller to whom WeChat called this token invalid (40001, 40014, 42001): ends that token and no newer one, so that the next
   * `getAccessToken` brings another. However many report the same token, one refresh follows. Where too many were
   * reported lately the token is kept: five reports count at once, then one a minute.
   *
   * @throws AuthorizerError WECHAT_UNAVAILABLE, with `retryAfterSeconds`, while the token is being replaced anyway;
   * DATABASE_UNAVAILABLE, with `retryAfterSeconds`
   */
  async reportInvalid(appId: string, token: string): Promise<void> {
    const outcome = await this.expireOnce(appId, token);
    if (outcome === 'busy')
      throw new AuthorizerError('WECHAT_UNAVAILABLE', {
        detail: 'The token is being replaced by another process',
        retryAfterSeconds: 2,
      });
  }

  /** Fetches a new token when the present one ends within `minLeftMs`. Nobody who is content with the present one waits for that. */
  async renew(appId: string, minLeftMs: number): Promise<void> {
    const { expiresAt } = await this.load(appId, minLeftMs);
    this.asked.renewed(appId, expiresAt);
  }

  /** What memory holds of the account may be outdated; whoever asks from now on is answered from the database. */
  forget(appId: string): void {
    this.cache.drop(appId);
    this.flights.delete(appId);
  }

  /** However many report it, one of them waits for the row, on one connection. */
  private expireOnce(appId: string, token: string): Promise<'expired' | 'kept' | 'busy'> {
    const key = `${appId} ${token}`;
    const underWay = this.reports.get(key);
    if (underWay) return underWay;
    const report = this.reported
      .expire(appId, token)
      .then((outcome) => {
        this.forget(appId);
        if (outcome === 'expired') this.logger.warn(`A caller reported the token of ${appId} as dead`);
        return outcome;
      })
      .catch(asOurs)
      .finally(() => this.reports.delete(key));
    this.reports.set(key, report);
    return report;
  }

  private fly(appId: string): Promise<AccessToken> {
    const underWay = this.flights.get(appId);
    if (underWay) return underWay;
    const flight = this.load(appId, MIN_LEFT_MS).finally(() => {
      if (this.flights.get(appId) === flight) this.flights.delete(appId);
    });
    this.flights.set(appId, flight);
    return flight;
  }

  private async load(appId: string, minLeftMs: number): Promise<AccessToken> {
    const reservation = this.cache.reserve(appId);
    let token: AccessToken | null = null;
    try {
      token = await this.find(appId, minLeftMs).catch(asOurs);
      return token;
    } finally {
      this.cache.settle(reservation, token);
    }
  }

  private async find(appId: string, minLeftMs: number): Promise<AccessToken> {
    const standing = await this.credentials.standingOf(appId);
    if (!standing) throw new AuthorizerError('UNKNOWN_AUTHORIZER');
    const { token, attention } = standing;
    if (token && isGood(token, minLeftMs)) return token;
    refuseHopeless(standing);
    const refreshed = await this.refresher
      .refresh(appId, minLeftMs)
      .catch((error: unknown) => this.standIn(appId, attention === 'account_frozen' ? asFrozen(error) : error));
    if (!refreshed) throw new AuthorizerError('NOT_AUTHORIZED');
    if (attention && isGood(refreshed, minLeftMs)) this.heal(appId, attention);
    return refreshed;
  }

  /** While WeChat, or whoever asks it, lets us wait in vain: the token that is kept, as long as it lasts. */
  private async standIn(appId: string, error: unknown): Promise<AccessToken> {
    const isPassing = error instanceof AuthorizerError && error.code === 'WECHAT_UNAVAILABLE';
    const token = isPassing ? (await this.credentials.standingOf(appId))?.token : null;
    if (token && isGood(token, 0)) return token;
    throw error;
  }

  /** A token was given, so what was wrong with the account is over. The caller is not kept waiting for the record. */
  private heal(appId: string, attention: Attention): void {
    const healed =
      attention === 'reauthorization_required'
        ? this.dataSource.transaction((tx) => this.reconciled.noteRestored(tx, appId))
        : this.profiles.refresh(appId);
    healed.catch((error: Error) =>
      this.logger.warn(`The record of ${appId} was not brought up to date: ${error.message}`),
    );
  }
}

function isGood({ expiresAt }: AccessToken, minLeftMs: number): boolean {
  return expiresAt.getTime() - Date.now() > minLeftMs;
}

function refuseHopeless({ status, attention, hasCredential }: Standing): void {
  if (status === 'unauthorized') throw new AuthorizerError('NOT_AUTHORIZED');
  if (hasCredential) return;
  if (attention === 'account_frozen') throw new AuthorizerError('ACCOUNT_FROZEN');
  if (status === 'authorized' || attention) throw new AuthorizerError('REAUTHORIZATION_REQUIRED');
  throw new AuthorizerError('EXCHANGE_UNDER_WAY', { retryAfterSeconds: 2 });
}

/** Callers can act on our errors only. */
function asOurs(error: unknown): never {
  throw isDatabaseAway(error)
    ? new AuthorizerError('DATABASE_UNAVAILABLE', { cause: error, retryAfterSeconds: 5 })
    : error;
}

/** Of a frozen account that is not asked for again yet, the freezing is what there is to know. */
function asFrozen(error: unknown): unknown {
  const isPause = error instanceof AuthorizerError && error.code === 'WECHAT_UNAVAILABLE' && error.cause === undefined;
  return isPause ? new AuthorizerError('ACCOUNT_FROZEN', { detail: error.detail }) : error;
}
