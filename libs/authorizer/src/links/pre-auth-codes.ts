import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Keyring } from '@app/keyring';
import {
  PlatformCredentialService,
  WECHAT_OPTIONS,
  WechatApiError,
  WechatClient,
  type WechatOptions,
} from '@app/wechat';
import { DataSource, type EntityManager } from 'typeorm';
import { AuthorizerError } from '../authorizer.errors.js';
import { digestOfPreAuthCode } from './link-bindings.js';

/** A code for one scan of WeChat's page. */
export interface PreAuthCode {
  readonly code: string;
  readonly expiresAt: Date;
}

/** A merchant waits for the page: better to say soon that WeChat is away. */
const FETCH_TIMEOUT_MS = 5_000;
/** How long to wait for a code that another request or process is fetching for the same link. */
const WAIT_MS = 5_000;
/** Longer than any fetch takes: after that nobody is left to bring the code. */
const ASKED_OVERDUE_SECONDS = 20;
/** What one link may cost of WeChat's daily quota, however often it is opened, and by whom. */
const CODES_AN_HOUR = 12;
const CODES_A_DAY = 48;
const FAILURES_IN_HALF_A_MINUTE = 5;
/** Who asks for another code at once clicked twice. */
const RENEWED_SECONDS = 10;
/** A code lives for half an hour; a push that names it may be days late. */
const KEPT_DAYS = 7;
const REMOVED_AT_ONCE = 20;

interface Spending {
  asking: boolean;
  lastHour: number;
  lastDay: number;
  failures: number;
}

/** The pre-auth codes of links: fetched when one is needed, by one process at a time for each link, and not more often than is decent. */
@Injectable()
export class PreAuthCodes {
  private readonly componentAppId: string;

  constructor(
    @Inject(WECHAT_OPTIONS) { appId }: WechatOptions,
    private readonly dataSource: DataSource,
    private readonly keyring: Keyring,
    private readonly client: WechatClient,
    private readonly platform: PlatformCredentialService,
  ) {
    this.componentAppId = appId;
  }

  /**
   * Fetches a code from WeChat.
   *
   * @throws WechatUnavailable, WechatApiError, WechatError NO_TICKET; AuthorizerError WECHAT_UNAVAILABLE when WeChat is too busy
   */
  async fetch(): Promise<PreAuthCode> {
    try {
      const { preAuthCode, expiresInSeconds } = await this.platform.call((token) =>
        this.client.createPreAuthCode(token, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) }),
      );
      return { code: preAuthCode, expiresAt: new Date(Date.now() + expiresInSeconds * 1000) };
    } catch (error) {
      const isBusy = error instanceof WechatApiError && error.reaction === 'retry';
      throw isBusy ? new AuthorizerError('WECHAT_UNAVAILABLE', { cause: error }) : error;
    }
  }

  /** Keeps the first code of a new link. */
  async keepFirst(tx: EntityManager, linkId: string, { code, expiresAt }: PreAuthCode): Promise<void> {
    await tx.query(
      `insert into pre_auth_code (component_app_id, link_id, state, code_digest, code, expires_at)
       values ($1, $2, 'given', $3, $4, $5)`,
      [this.componentAppId, linkId, digestOfPreAuthCode(code), this.seal(linkId, code), expiresAt],
    );
    await this.removeOld(tx);
  }

  /**
   * A code that is good for a while: the last one, or a fresh one where that is old or `renew` says it does not work.
   *
   * @throws AuthorizerError LINK_OPENED_TOO_OFTEN, LINK_BUSY, and what `fetch` throws
   */
  async obtain(linkId: string, { renew }: { renew: boolean }): Promise<PreAuthCode> {
    for (const deadline = performance.now() + WAIT_MS; performance.now() < deadline; await pause(100)) {
      const usable = await this.usable(linkId, renew);
      if (usable) return usable;
      const { asking, lastHour, lastDay, failures } = await this.spending(linkId);
      if (asking) continue;
      if (failures >= FAILURES_IN_HALF_A_MINUTE) throw new AuthorizerError('WECHAT_UNAVAILABLE');
      if (lastHour >= CODES_AN_HOUR || lastDay >= CODES_A_DAY) throw new AuthorizerError('LINK_OPENED_TOO_OFTEN');
      const turn = await this.takeTurn(linkId);
      if (turn !== null) return this.fetchFor(linkId, turn, renew);
    }
    throw new AuthorizerError('LINK_BUSY');
  }

  private async fetchFor(linkId: string, turn: string, renew: boolean): Promise<PreAuthCode> {
    try {
      // Whoever had the turn before may have brought one after we looked.
      const brought = await this.usable(linkId, renew);
      if (brought) {
        await this.dataSource.query('delete from pre_auth_code where id = $1', [turn]);
        return brought;
      }
      const fetched = await this.fetch();
      await this.dataSource.query(
        `update pre_auth_code set state = 'given', code_digest = $2, code = $3, expires_at = $4 where id = $1`,
        [turn, digestOfPreAuthCode(fetched.code), this.seal(linkId, fetched.code), fetched.expiresAt],
      );
      return fetched;
    } catch (error) {
      await this.dataSource.query(`update pre_auth_code set state = 'failed' where id = $1`, [turn]);
      throw error;
    }
  }

  /** The last code, while at least ten minutes or half of its life are left; to `renew`, only one that was just fetched. */
  private async usable(linkId: string, renew: boolean): Promise<PreAuthCode | null> {
    const [row] = await this.dataSource.query<PreAuthCode[]>(
      `select code, expires_at as "expiresAt" from pre_auth_code
       where component_app_id = $1 and link_id = $2 and state = 'given' and code is not null
         and expires_at - least(interval '10 minutes', (expires_at - asked_at) / 2) > now()
         and (not $3 or asked_at > now() - make_interval(secs => $4))
       order by asked_at desc, id desc limit 1`,
      [this.componentAppId, linkId, renew, RENEWED_SECONDS],
    );
    return row ? { ...row, code: this.keyring.open(row.code, this.context(linkId)) } : null;
  }

  private async spending(linkId: string): Promise<Spending> {
    const [row] = await this.dataSource.query<[Spending]>(
      `select coalesce(bool_or(state = 'asked' and asked_at > now() - make_interval(secs => $3)), false) as asking,
         count(*) filter (where state = 'given' and asked_at > now() - interval '1 hour')::int as "lastHour",
         count(*) filter (where state = 'given')::int as "lastDay",
         count(*) filter (where state = 'failed' and asked_at > now() - interval '30 seconds')::int as failures
       from pre_auth_code
       where component_app_id = $1 and link_id = $2 and asked_at > now() - interval '1 day'`,
      [this.componentAppId, linkId, ASKED_OVERDUE_SECONDS],
    );
    return row;
  }

  /** The right to ask WeChat for this link, which one process has at a time; null when another has it. */
  private async takeTurn(linkId: string): Promise<string | null> {
    const key = [this.componentAppId, linkId];
    await this.dataSource.query(
      `update pre_auth_code set state = case state when 'asked' then 'failed' else state end, code = null
       where component_app_id = $1 and link_id = $2
         and (expires_at < now() and code is not null or state = 'asked' and asked_at <= now() - make_interval(secs => $3))`,
      [...key, ASKED_OVERDUE_SECONDS],
    );
    const [turn] = await this.dataSource.query<{ id: string }[]>(
      `insert into pre_auth_code (component_app_id, link_id) values ($1, $2)
       on conflict (component_app_id, link_id) where state = 'asked' do nothing
       returning id::text`,
      key,
    );
    if (turn) await this.removeOld(this.dataSource.manager);
    return turn?.id ?? null;
  }

  private async removeOld(tx: EntityManager): Promise<void> {
    await tx.query(
      `delete from pre_auth_code where id = any(array(
         select id from pre_auth_code
         where component_app_id = $1 and asked_at < now() - make_interval(days => $2)
         order by asked_at limit $3 for update skip locked))`,
      [this.componentAppId, KEPT_DAYS, REMOVED_AT_ONCE],
    );
  }

  private seal(linkId: string, code: string): string {
    return this.keyring.seal(code, this.context(linkId));
  }

  private context(linkId: string): string {
    return `pre_auth_code.code:${this.componentAppId}:${linkId}`;
  }
}
