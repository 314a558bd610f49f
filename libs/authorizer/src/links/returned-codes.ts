import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { EventOutbox } from '@app/events';
import { Keyring } from '@app/keyring';
import { WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { DataSource, type EntityManager } from 'typeorm';
import { AuthorizerError } from '../authorizer.errors.js';
import { digestOfCode } from '../code-exchange.js';

/**
 * What became of a code that came home with a browser: `authorized` (also where the push was first), `refused` by WeChat, `lost`
 * (WeChat's answer never reached us: the account may be authorized, which its push or the next reconciliation shows), or `superseded`
 * by a revocation that came after it.
 */
export type ReturnOutcome = 'authorized' | 'refused' | 'lost' | 'superseded';

export interface ReturnedCode {
  readonly id: string;
  /** Null once it is of no more use. */
  readonly code: string | null;
  /** The link it came home from, where the browser proved that. */
  readonly linkId: string | null;
  readonly receivedAt: Date;
  /** The account whose tokens it brought, once they are stored. */
  readonly appId: string | null;
  readonly outcome: ReturnOutcome | null;
}

/** How a code stands for the merchant who brought it; `outcome` is null while that is being found out. */
export type Standing = Pick<ReturnedCode, 'appId' | 'outcome'>;

/** A code that was lost is found again once a push has brought the same one; what was authorized may be withdrawn since. */
const STANDING = `
  select a.app_id as "appId",
    case when r.outcome not in ('authorized', 'lost') or a.status is null then r.outcome
         when a.status = 'unauthorized' then 'superseded'
         when a.status = 'authorized' or r.outcome = 'authorized' then 'authorized' end as outcome
  from returned_code r
  left join code_exchange e on e.component_app_id = r.component_app_id and e.code_digest = r.code_digest
  left join authorizer a on a.component_app_id = r.component_app_id and a.app_id = coalesce(r.app_id, e.app_id)
  where r.id = $1`;

/** How many codes are taken at a time: so many at once, and so many a day, because a code costs a call of WeChat's daily quota. */
interface Measure {
  readonly atOnce: number;
  readonly seconds: number;
  readonly aDay: number;
}
/** What proves no link could be anybody's invention; what is true of it comes by push as well. */
const UNPROVEN: Measure = { atOnce: 30, seconds: 60, aDay: 500 };
/** Who has the link can invent codes that prove it. */
const OF_ONE_LINK: Measure = { atOnce: 30, seconds: 3_600, aDay: 100 };
const LOOK_AGAIN_MS = 100;
/** Codes whose outcome pages wait for at the same time; the pages of others look again by themselves. */
const WAITED_FOR_AT_ONCE = 20;
/** A code lives for an hour, and who comes back to an outcome does so within days. */
const KEPT_DAYS = 7;
/** More than come in, so that what has piled up goes away, and few enough not to be felt. */
const REMOVED_AT_ONCE = 20;

/** The codes that browsers bring: made durable at once, settled by a subscriber that tries until WeChat has answered. */
@Injectable()
export class ReturnedCodes {
  private readonly logger = new Logger(ReturnedCodes.name);
  private readonly componentAppId: string;
  private readonly waits = new Map<string, Promise<Standing>>();

  constructor(
    @Inject(WECHAT_OPTIONS) { appId }: WechatOptions,
    private readonly dataSource: DataSource,
    private readonly keyring: Keyring,
    private readonly outbox: EventOutbox,
  ) {
    this.componentAppId = appId;
  }

  /**
   * Makes a code durable and has it exchanged. The same code again is the same row; `admit` may refuse one that is new by throwing.
   *
   * @throws AuthorizerError TOO_MANY_CODES
   */
  async accept(code: string, linkId: string | null, admit: () => void): Promise<string> {
    const digest = digestOfCode(code);
    const known = await this.findByDigest(digest);
    if (known) return known;
    admit();
    await this.outbox.transaction(async (tx) => {
      await this.refuseTooMany(tx, linkId);
      const [row] = await tx.query<{ id: string }[]>(
        `insert into returned_code (component_app_id, code_digest, code, link_id) values ($1, $2, $3, $4)
         on conflict do nothing returning id`,
        [this.componentAppId, digest, this.keyring.seal(code, this.context(digest)), linkId],
      );
      if (!row) return;
      await this.outbox.publish(tx, {
        type: 'internal.code_returned',
        componentAppId: this.componentAppId,
        authorizerAppId: null,
        data: { returnedCodeId: row.id },
      });
    });
    await this.removeOld().catch((error: Error) => this.logger.warn(`Old codes were not removed: ${error.message}`));
    return (await this.findByDigest(digest))!;
  }

  /**
   * How the code stands once that is settled, or when `withinMs` are over. Whoever waits for the same code waits together, and when
   * too many codes are waited for, the answer is how it stands now.
   */
  async await(id: string, withinMs: number): Promise<Standing> {
    const begun = this.waits.get(id);
    if (begun) return begun;
    if (this.waits.size >= WAITED_FOR_AT_ONCE) return this.standingOf(id);
    const wait = this.poll(id, withinMs).finally(() => this.waits.delete(id));
    this.waits.set(id, wait);
    return wait;
  }

  private async poll(id: string, withinMs: number): Promise<Standing> {
    for (const deadline = performance.now() + withinMs; ; await pause(LOOK_AGAIN_MS)) {
      const standing = await this.standingOf(id);
      if (standing.outcome !== null || performance.now() > deadline) return standing;
    }
  }

  private async standingOf(id: string): Promise<Standing> {
    const [row] = await this.dataSource.query<[Standing]>(STANDING, [id]);
    return row;
  }

  /** Null once it was removed for its age. */
  async find(id: string): Promise<ReturnedCode | null> {
    const [row] = await this.dataSource.query<(ReturnedCode & { digest: Buffer })[]>(
      `select id, code, code_digest as digest, link_id as "linkId", received_at as "receivedAt", app_id as "appId", outcome
       from returned_code where id = $1`,
      [id],
    );
    if (!row) return null;
    const { digest, code, ...rest } = row;
    return { ...rest, code: code && this.keyring.open(code, this.context(digest)) };
  }

  /** Notes whose tokens the code brought, with the transaction that stores them. From here on the code itself is not needed. */
  async noteAccount(tx: EntityManager, id: string, appId: string): Promise<void> {
    await tx.query('update returned_code set app_id = $2, code = null where id = $1 and outcome is null', [id, appId]);
  }

  /** Settles the code, once. */
  async settle(tx: EntityManager, id: string, outcome: ReturnOutcome, appId: string | null): Promise<void> {
    await tx.query(
      `update returned_code set outcome = $2, app_id = coalesce($3, app_id), code = null where id = $1 and outcome is null`,
      [id, outcome, appId],
    );
  }

  private async findByDigest(digest: Buffer): Promise<string | null> {
    const [row] = await this.dataSource.query<{ id: string }[]>(
      'select id from returned_code where component_app_id = $1 and code_digest = $2',
      [this.componentAppId, digest],
    );
    return row?.id ?? null;
  }

  /** One after the other for each link, and for all that prove none, so that a crowd at the door is counted exactly. */
  private async refuseTooMany(tx: EntityManager, linkId: string | null): Promise<void> {
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`returned_code:${linkId ?? ''}`]);
    const { atOnce, seconds, aDay } = linkId === null ? UNPROVEN : OF_ONE_LINK;
    // Two conditions, because `is not distinct from` finds no index.
    const [row] = await tx.query<[{ now: number; today: number }]>(
      `select count(*) filter (where received_at > now() - make_interval(secs => $2))::int as now, count(*)::int as today
       from returned_code
       where component_app_id = $1 and received_at > now() - interval '1 day'
         and ${linkId === null ? 'link_id is null' : 'link_id = $3'}`,
      [this.componentAppId, seconds, ...(linkId === null ? [] : [linkId])],
    );
    if (row.now >= atOnce || row.today >= aDay) throw new AuthorizerError('TOO_MANY_CODES');
  }

  /** What is not settled stays: a delivery may yet ask for it. Another process that removes the same rows is left to it. */
  private async removeOld(): Promise<void> {
    await this.dataSource.query(
      `delete from returned_code where id = any(array(
         select id from returned_code
         where component_app_id = $1 and outcome is not null and received_at < now() - make_interval(days => $2)
         order by received_at limit $3 for update skip locked))`,
      [this.componentAppId, KEPT_DAYS, REMOVED_AT_ONCE],
    );
  }

  private context(digest: Buffer): string {
    return `returned_code.code:${this.componentAppId}:${digest.toString('hex')}`;
  }
}
