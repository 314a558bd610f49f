import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { isDatabaseAway } from '@app/events';
import {
  type Authorization,
  PlatformCredentialService,
  WECHAT_OPTIONS,
  WechatApiError,
  WechatClient,
  WechatError,
  type WechatOptions,
  WechatUnavailable,
} from '@app/wechat';
import { DataSource, type EntityManager } from 'typeorm';
import { AuthorizerError } from './authorizer.errors.js';
import { type Inquiry } from './credential.js';
import { CredentialStore } from './credential-store.js';

/** Longer than any call of `queryAuth` takes: a code sent before that has had its answer, or nobody is left to hear it. */
const ANSWER_OVERDUE_SECONDS = 60;

/** How an attempt to exchange a code may end. */
export type ExchangeOutcome =
  | { readonly kind: 'granted'; readonly authorization: Authorization; readonly inquiry: Inquiry }
  /**
   * The code is of no use any more, or may have been used without our hearing the answer: look the credential up instead.
   * `appId` is the account whose tokens it brought us earlier, where it did.
   */
  | { readonly kind: 'spent'; readonly state: Exclude<State, 'sent'>; readonly appId: string | null };

type State = 'sent' | 'unknown' | 'exchanged' | 'refused';

/** What is known of a code before it is sent: nothing, or what became of an earlier sending. */
interface Noted {
  /** Set where this is the first sending, which begins now. */
  readonly begun: string | null;
  readonly state: State;
  readonly appId: string | null;
}

/** One sending of a code, by the time it began: what comes of it is said of no later one. */
interface Sending {
  readonly isFirst: boolean;
  readonly begun: string;
}

/**
 * Exchanges authorization codes, each at most once: a code is noted before it is sent, and one whose answer was lost is sent again
 * by `sendAgain` only, by whoever has asked WeChat what became of the code's account. A code that only a browser brought names none,
 * and is not sent again.
 */
@Injectable()
export class CodeExchange {
  private readonly componentAppId: string;

  constructor(
    @Inject(WECHAT_OPTIONS) { appId }: WechatOptions,
    private readonly dataSource: DataSource,
    private readonly client: WechatClient,
    private readonly platform: PlatformCredentialService,
    private readonly credentials: CredentialStore,
  ) {
    this.componentAppId = appId;
  }

  /**
   * Sends the code to WeChat unless it was sent before.
   *
   * @throws AuthorizerError EXCHANGE_UNDER_WAY when another process may be waiting for the answer
   * @throws WechatApiError, WechatUnavailable when WeChat could not be asked; the code is as good as before
   */
  async exchange(code: string): Promise<ExchangeOutcome> {
    await this.platform.accessToken(); // Without a token nothing is sent, so nothing needs to be noted.
    const inquiry = await this.credentials.inquire();
    const { begun, state, appId } = await this.noteSending(code);
    if (begun !== null) return this.send(code, { isFirst: true, begun }, inquiry);
    if (state === 'sent') throw new AuthorizerError('EXCHANGE_UNDER_WAY');
    return { kind: 'spent', state, appId };
  }

  /**
   * Sends a code again whose answer was lost. To be called once WeChat has said that it knows no credential of the code's account.
   * Whatever else comes of it, even a refusal, says nothing about the first sending: the code stays `unknown`.
   *
   * @throws as `exchange`
   */
  async sendAgain(code: string): Promise<ExchangeOutcome> {
    const inquiry = await this.credentials.inquire();
    const [[sending]] = await this.dataSource.query<[{ begun: string }[], number]>(
      `update code_exchange set state = 'sent', sent_at = clock_timestamp()
       where component_app_id = $1 and code_digest = $2 and state = 'unknown' returning sent_at::text as begun`,
      [this.componentAppId, digestOfCode(code)],
    );
    return sending ? this.send(code, { isFirst: false, ...sending }, inquiry) : UNKNOWN;
  }

  /** The account whose tokens the code has brought, or null: then nobody stores tokens of it before `tx` has ended. */
  async accountOf(tx: EntityManager, code: string): Promise<string | null> {
    const [row] = await tx.query<{ appId: string | null }[]>(
      'select app_id as "appId" from code_exchange where component_app_id = $1 and code_digest = $2 for update',
      [this.componentAppId, digestOfCode(code)],
    );
    return row?.appId ?? null;
  }

  /** To be called with the transaction in which the tokens are stored. */
  async noteExchanged(tx: EntityManager, code: string, appId: string): Promise<void> {
    await tx.query(
      `update code_exchange set state = 'exchanged', app_id = $3 where component_app_id = $1 and code_digest = $2`,
      [this.componentAppId, digestOfCode(code), appId],
    );
  }

  private async send(code: string, sending: Sending, inquiry: Inquiry): Promise<ExchangeOutcome> {
    try {
      const authorization = await this.platform.call((token) => this.client.queryAuth(token, code));
      return { kind: 'granted', authorization, inquiry };
    } catch (error) {
      const isUsedUp = error instanceof WechatApiError && USED_UP.has(error.errcode);
      if (!sending.isFirst || isAnswerLost(error)) await this.become(code, sending.begun, 'unknown');
      else if (isUsedUp) await this.become(code, sending.begun, 'refused');
      else await this.forget(code, sending.begun);
      const isRefusedAgain = !sending.isFirst && error instanceof WechatApiError && error.reaction === 'reauthorize';
      if (!isUsedUp && !isRefusedAgain) throw error;
      return sending.isFirst ? { kind: 'spent', state: 'refused', appId: null } : UNKNOWN;
    }
  }

  /** Notes that the code is about to be sent, unless it was before. */
  private async noteSending(code: string): Promise<Noted> {
    const [row] = await this.dataSource.query<(Noted & { overdueSince: string | null })[]>(
      `with noted as (
         insert into code_exchange (component_app_id, code_digest, state) values ($1, $2, 'sent')
         on conflict do nothing
         returning sent_at::text as begun, state, app_id as "appId", null as "overdueSince"
       )
       select * from noted
       union all
       select null, state, app_id,
              case when state = 'sent' and sent_at < now() - make_interval(secs => $3) then sent_at::text end
       from code_exchange
       where component_app_id = $1 and code_digest = $2
       limit 1`,
      [this.componentAppId, digestOfCode(code), ANSWER_OVERDUE_SECONDS],
    );
    // Another has just noted it.
    if (!row) return { begun: null, state: 'sent', appId: null };
    if (row.overdueSince === null) return row;
    await this.become(code, row.overdueSince, 'unknown');
    return { begun: null, state: 'unknown', appId: null };
  }

  /** What came of a sending, where that is still under way. */
  private async become(code: string, begun: string, state: 'unknown' | 'refused'): Promise<void> {
    await this.dataSource.query(
      `update code_exchange set state = $4
       where component_app_id = $1 and code_digest = $2 and state = 'sent' and sent_at = $3::timestamptz`,
      [this.componentAppId, digestOfCode(code), begun, state],
    );
  }

  private async forget(code: string, begun: string): Promise<void> {
    await this.dataSource.query(
      `delete from code_exchange
       where component_app_id = $1 and code_digest = $2 and state = 'sent' and sent_at = $3::timestamptz`,
      [this.componentAppId, digestOfCode(code), begun],
    );
  }
}

const UNKNOWN: ExchangeOutcome = { kind: 'spent', state: 'unknown', appId: null };

/** Wrong, used or foreign; expired. */
const USED_UP: ReadonlySet<number> = new Set([61009, 61010]);

/** Whether WeChat may have seen the code, and what it made of that is not known. What the component token failed of says nothing. */
function isAnswerLost(error: unknown): boolean {
  if (error instanceof WechatError || isDatabaseAway(error)) return false;
  if (!(error instanceof WechatUnavailable || error instanceof WechatApiError)) return true;
  if (error.api !== 'api_query_auth') return false;
  return error instanceof WechatUnavailable ? error.requestSent : error.reaction === 'retry';
}

/** How a code is known where it may not be kept itself. */
export function digestOfCode(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}
