import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { isDatabaseAway, isLockTimeout } from '@app/events';
import { Keyring } from '@app/keyring';
import { DataSource, type EntityManager } from 'typeorm';
import { WechatClient } from './client/wechat-client.js';
import { WechatApiError } from './client/wechat-errors.js';
import { PlatformCredentialEntity } from './platform-credential.entity.js';
import { PlatformFailures, recentRefusal } from './platform-failures.js';
import { PlatformTickets } from './platform-tickets.js';
import { spendReport } from './report-measure.js';
import { WechatError } from './wechat.errors.js';
import { WECHAT_OPTIONS, type WechatOptions } from './wechat.options.js';

/** A token and when it ends. */
export interface AccessToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** WeChat advises to renew ten minutes before the end of the two hours. */
const RENEW_BEFORE_MS = 10 * 60 * 1000;
/** After a failed renewal, the token that is still good serves this long before the next try. */
const RETRY_AFTER_MS = 30 * 1000;
const LOCK_TIMEOUT_MS = 20_000;
/** Renewed this long before its end by a timer, so that nobody who asks has to wait for it. */
const RENEW_AHEAD_MS = 15 * 60 * 1000;
const LOOK_EVERY_MS = 60 * 1000;
/** However the news that another process replaced or dropped the token gets lost, after this long in memory the row is read again. */
const TRUST_MEMORY_MS = 30 * 1000;
/** A token this young is not renewed, however short it lives: an API that gives short-lived ones would use up the daily quota. */
const YOUNG_MS = 60 * 1000;
/** Whoever holds the row for longer is renewing the token. */
const REPORT_LOCK_TIMEOUT_MS = 500;

const tokenContext = (appId: string) => `platform_credential.access_token:${appId}`;

/**
 * Keeps the platform's component_access_token.
 */
@Injectable()
export class PlatformCredentialService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(PlatformCredentialService.name);
  private readonly appId: string;
  private cached: (AccessToken & { readonly readAt: number }) | null = null;
  private reading: Promise<PlatformCredentialEntity | null> | null = null;
  private renewing: Promise<AccessToken> | null = null;
  /** How often memory was found to be outdated. */
  private news = 0;
  /** What was reported last; it may stand in the row still. */
  private dead: string | null = null;
  private noRetryBefore = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    @Inject(WECHAT_OPTIONS) options: WechatOptions,
    private readonly dataSource: DataSource,
    private readonly keyring: Keyring,
    private readonly client: WechatClient,
    private readonly tickets: PlatformTickets,
    private readonly failures: PlatformFailures,
  ) {
    this.appId = options.appId;
  }

  onApplicationBootstrap(): void {
    const every = LOOK_EVERY_MS * (0.9 + Math.random() / 5);
    this.timer = setInterval(() => {
      this.renewAhead().catch((error: Error) =>
        this.logger.warn(`The component token was not renewed: ${error.message}`),
      );
    }, every).unref();
  }

  beforeApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /**
   * Renews the token when it ends within a quarter of an hour, though nobody asks for it. One process at a time does, and only where
   * there is a ticket to do it with. What another process has fetched is taken over.
   */
  async renewAhead(): Promise<void> {
    const row = await this.readOnce();
    if (!row || this.tickets.open(row) === null) return;
    if ((row.accessTokenExpiresAt?.getTime() ?? 0) - Date.now() > RENEW_AHEAD_MS) return;
    await this.renewOnce(RENEW_AHEAD_MS);
  }

  /**
   * The component_access_token: from memory while no news of another comes, for half a minute at most, else from the database, else
   * renewed by one process while the others wait for it. While a renewal fails, a token that is still good is still given.
   *
   * @throws WechatError NO_TICKET when no ticket is there or the last is over 12 h old
   * @throws WechatApiError, WechatUnavailable when WeChat does not give one and none is left
   */
  async accessToken(): Promise<AccessToken> {
    const cached = this.cached;
    const isTrusted = cached && Date.now() - cached.readAt < TRUST_MEMORY_MS;
    if (isTrusted && this.isFresh(cached, RENEW_BEFORE_MS)) return cached;
    const row = await this.readOnce();
    const stored = row && this.tokenOf(row);
    if (stored && stored.token !== this.dead && this.isFresh(stored, RENEW_BEFORE_MS)) return stored;
    return this.renewOnce(RENEW_BEFORE_MS);
  }

  /** When the newest ticket came, or null before the first. */
  async ticketReceivedAt(): Promise<Date | null> {
    return (await this.find())?.ticketReceivedAt ?? null;
  }

  /**
   * Calls WeChat with the component_access_token; when WeChat calls that token invalid, once more with another one, if there is
   * another (see `reportInvalid`). A refusal of the platform as such (its address, its ticket, its state in the console) is kept for the operator until a call succeeds.
   */
  async call<T>(work: (componentAccessToken: string) => Promise<T>): Promise<T> {
    const { token } = await this.accessToken();
    try {
      const answer = await this.unlessTokenInvalid(token, work);
      await this.failures.clear();
      return answer;
    } catch (error) {
      await this.failures.hear(error);
      throw error;
    }
  }

  /**
   * Drops this token, and no newer one: a late report never ends a token that was renewed in the meantime. Where too many were
   * reported lately the token is kept (see `spendReport`).
   */
  async reportInvalid(token: string): Promise<void> {
    const row = await this.find();
    const stored = row && this.tokenOf(row);
    const isStored = stored?.token === token;
    const spentUntil = spendReport(row?.reportsSpentUntil ?? null);
    if (isStored && !spentUntil) return;
    const isKnown = this.dead === token;
    if (this.cached?.token === token) this.cached = null;
    // A read that was under way may have seen the token still.
    this.reading = null;
    if (!isStored || isKnown || !row?.accessToken || !spentUntil) return;
    this.dead = token;
    await this.drop(row.accessToken, spentUntil);
  }

  /** What memory holds of the token may be outdated; whoever asks from now on is answered from the database. */
  forget(): void {
    this.news += 1;
    this.cached = null;
    // A read that was under way may have seen the old one still.
    this.reading = null;
  }

  private async unlessTokenInvalid<T>(token: string, work: (componentAccessToken: string) => Promise<T>): Promise<T> {
    try {
      return await work(token);
    } catch (error) {
      if (!(error instanceof WechatApiError) || error.reaction !== 'refresh_token') throw error;
      await this.reportInvalid(token);
      const other = (await this.accessToken()).token;
      if (other === token) throw error;
      return work(other);
    }
  }

  private find(): Promise<PlatformCredentialEntity | null> {
    return this.dataSource.manager.findOneBy(PlatformCredentialEntity, { componentAppId: this.appId });
  }

  /** The token in the row, without its lock, which is held while WeChat is asked for the next one. */
  private readOnce(): Promise<PlatformCredentialEntity | null> {
    if (this.reading) return this.reading;
    const reading = this.find()
      .then((row) => {
        if (this.reading === reading) this.remember(row && this.tokenOf(row));
        return row;
      })
      .finally(() => {
        if (this.reading === reading) this.reading = null;
      });
    this.reading = reading;
    return reading;
  }

  private remember(token: AccessToken | null): void {
    this.cached = token && token.token !== this.dead ? { ...token, readAt: Date.now() } : null;
  }

  /** For the other processes. Guarded by the sealed text: whoever replaces the token writes another one. */
  private async drop(sealed: string, reportsSpentUntil: Date): Promise<void> {
    const dropped = this.dataSource.transaction(async (tx) => {
      await tx.query(`set local lock_timeout = ${REPORT_LOCK_TIMEOUT_MS}`);
      await tx.update(
        PlatformCredentialEntity,
        { componentAppId: this.appId, accessToken: sealed },
        { accessToken: null, accessTokenExpiresAt: null, accessTokenIssuedAt: null, reportsSpentUntil },
      );
    });
    await dropped.catch((error: unknown) => {
      if (!isLockTimeout(error)) throw error;
    });
  }

  private isFresh({ expiresAt }: AccessToken, renewBeforeMs: number): boolean {
    const now = Date.now();
    const left = expiresAt.getTime() - now;
    return left > renewBeforeMs || (left > 0 && now < this.noRetryBefore);
  }

  private renewOnce(renewBeforeMs: number): Promise<AccessToken> {
    this.renewing ??= this.renew(renewBeforeMs).finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  /** Under the row's lock: whoever waited for it finds the token that the first one fetched. */
  private async renew(renewBeforeMs: number): Promise<AccessToken> {
    const { news } = this;
    const { token, failure } = await this.dataSource.transaction(async (tx) => {
      const row = await this.lock(tx);
      const kept = this.tokenOf(row);
      const stored = kept?.token === this.dead ? null : kept;
      if (stored && (this.isFresh(stored, renewBeforeMs) || isYoung(row))) return { token: stored, failure: null };
      const refusal = recentRefusal(row);
      if (refusal) return { token: stored, failure: refusal };
      try {
        return { token: await this.fetch(tx, row), failure: null };
      } catch (error) {
        if (isDatabaseAway(error)) throw error;
        await this.failures.note(tx, error);
        return { token: stored, failure: error };
      }
    });
    if (failure) this.noRetryBefore = Date.now() + RETRY_AFTER_MS;
    if (!token || token.expiresAt.getTime() <= Date.now()) throw failure;
    if (failure)
      this.logger.warn(
        `The component token could not be renewed and is used until it ends: ${(failure as Error).message}`,
      );
    if (this.news === news) this.remember(token);
    return token;
  }

  private async fetch(tx: EntityManager, row: PlatformCredentialEntity): Promise<AccessToken> {
    const ticket = this.tickets.open(row);
    if (ticket === null) throw new WechatError('NO_TICKET');
    const granted = await this.client.componentToken({ ticket });
    if (granted.accessToken === this.dead) this.dead = null; // WeChat itself says that it is good.
    const fetched = { token: granted.accessToken, expiresAt: new Date(Date.now() + granted.expiresInSeconds * 1000) };
    await tx.update(
      PlatformCredentialEntity,
      { componentAppId: this.appId },
      {
        accessToken: this.keyring.seal(fetched.token, tokenContext(this.appId)),
        accessTokenExpiresAt: fetched.expiresAt,
        accessTokenIssuedAt: new Date(),
        lastFailure: null,
        lastFailureAt: null,
      },
    );
    return fetched;
  }

  private tokenOf({ accessToken, accessTokenExpiresAt }: PlatformCredentialEntity): AccessToken | null {
    if (!accessToken || !accessTokenExpiresAt) return null;
    return { token: this.keyring.open(accessToken, tokenContext(this.appId)), expiresAt: accessTokenExpiresAt };
  }

  private async lock(tx: EntityManager): Promise<PlatformCredentialEntity> {
    await tx.query(`set local statement_timeout = ${LOCK_TIMEOUT_MS + 1_000}`);
    await tx.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await tx.query('insert into platform_credential (component_app_id) values ($1) on conflict do nothing', [
      this.appId,
    ]);
    return tx.findOneOrFail(PlatformCredentialEntity, {
      where: { componentAppId: this.appId },
      lock: { mode: 'pessimistic_write' },
    });
  }
}

function isYoung({ accessTokenIssuedAt, accessTokenExpiresAt }: PlatformCredentialEntity): boolean {
  const now = Date.now();
  return now - (accessTokenIssuedAt?.getTime() ?? 0) < YOUNG_MS && (accessTokenExpiresAt?.getTime() ?? 0) > now;
}
