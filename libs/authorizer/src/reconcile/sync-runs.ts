import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { DataSource } from 'typeorm';

export type SyncPhase = 'list' | 'missing' | 'profiles';

/** A run as the process that works on it knows it. */
export interface SyncRun {
  readonly id: string;
  readonly lease: string;
  /** When it began, in the order in which credentials come to be; a bigint, so text here. */
  readonly startedPoint: string;
  readonly phase: SyncPhase;
  /** Where the list is read on. */
  readonly nextOffset: number;
  /** In the other phases: the last account that was dealt with. */
  readonly afterAppId: string;
}

/** What one step came to. Counts are added to those of the run. */
export interface SyncProgress extends Partial<Pick<SyncRun, 'phase' | 'nextOffset' | 'afterAppId'>> {
  readonly total?: number;
  readonly counts?: Partial<Record<SyncCount, number>>;
}

const COUNTS = ['listed', 'added', 'restored', 'revoked', 'refreshed', 'failed'] as const;
export type SyncCount = (typeof COUNTS)[number];

/** A run as an operator sees it. */
export interface SyncReport extends Record<SyncCount, number> {
  readonly runId: string;
  readonly requestedBy: 'operator' | 'schedule';
  readonly status: 'running' | 'paused' | 'done' | 'failed';
  readonly phase: SyncPhase;
  /** How many accounts WeChat says there are. */
  readonly total: number | null;
  /** Why it paused or failed. */
  readonly reason: string | null;
  readonly resumeAt: Date | null;
  readonly startedAt: Date;
  readonly progressedAt: Date;
  readonly finishedAt: Date | null;
}

/** For a search of the list nobody is told to come back sooner than this, nor to wait longer than that at once. */
const SEARCH_SECONDS = { least: 30, most: 3600 };
/**
 * The list was read so long ago that it may be read again for lost tokens: for four times as long as that took, up to ten minutes, the
 * calls are left to other work. A run that WeChat refused is not begun again at once.
 */
const SPACED = `now() > coalesce(listed_at, finished_at, started_at)
  + least(4 * (coalesce(listed_at, finished_at, started_at) - started_at), interval '10 minutes')
  and (status <> 'failed' or now() > finished_at + interval '10 minutes')`;

/** Whoever works on a run says so this often; after the lease another process goes on with it. */
export const LEASE_SECONDS = 45;

/** The reconciliation runs: at most one unfinished per component, worked on by one process at a time. */
@Injectable()
export class SyncRuns {
  private readonly componentAppId: string;
  private started: () => void = () => undefined;

  constructor(
    @Inject(WECHAT_OPTIONS) platform: WechatOptions,
    private readonly dataSource: DataSource,
  ) {
    this.componentAppId = platform.appId;
  }

  /** Calls `work` whenever this process starts a run, so that nobody waits for the next look at the table. */
  onStart(work: () => void): void {
    this.started = work;
  }

  /**
   * Has WeChat's list searched for the refresh tokens that are lost: a run is that search, and one for all. Answers after how many
   * seconds it is worth asking what it has found.
   */
  async search(): Promise<number> {
    await this.startWhenLost();
    this.started();
    const [{ seconds }] = await this.dataSource.query<[{ seconds: number }]>(
      `select coalesce(max(extract(epoch from resume_at - now())), 0)::float8 as seconds
       from sync_run where component_app_id = $1 and finished_at is null`,
      [this.componentAppId],
    );
    return Math.min(Math.max(Math.ceil(seconds), SEARCH_SECONDS.least), SEARCH_SECONDS.most);
  }

  /** Starts a run when refresh tokens are lost, unless the list was read for such only just. */
  async startWhenLost(): Promise<void> {
    await this.dataSource.query(
      `insert into sync_run (component_app_id, requested_by)
       select $1, 'schedule'
       where exists (select 1 from authorizer_credential where component_app_id = $1 and lost)
         and not exists (select 1 from sync_run where component_app_id = $1 and (finished_at is null or not (${SPACED})))
       on conflict do nothing`,
      [this.componentAppId],
    );
  }

  /** Whether tokens were lost after this run had passed their accounts, and the list may be read again for them. */
  async mayGiveWay({ id }: SyncRun): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      `select 1 from sync_run where id = $1 and ${SPACED}
         and exists (select 1 from authorizer_credential c where c.component_app_id = $2 and c.lost)`,
      [id, this.componentAppId],
    );
    return rows.length > 0;
  }

  /** Starts a run, or has the unfinished one go on at once; answers its id. */
  async request(): Promise<string> {
    const [run] = await this.dataSource.query<[{ id: string }]>(
      `insert into sync_run as run (component_app_id, requested_by) values ($1, 'operator')
       on conflict (component_app_id) where finished_at is null
       do update set resume_at = null, status = 'running' returning run.id`,
      [this.componentAppId],
    );
    this.started();
    return run.id;
  }

  /** Starts a run when the last one began longer ago than that, and there is a ticket to ask WeChat with. */
  async startWhenDue(intervalSeconds: number): Promise<void> {
    await this.dataSource.query(
      `insert into sync_run (component_app_id, requested_by)
       select $1, 'schedule'
       where exists (select 1 from platform_credential where component_app_id = $1 and ticket is not null)
         and not exists (select 1 from sync_run where component_app_id = $1
                         and (finished_at is null or started_at > now() - make_interval(secs => $2)))
       on conflict do nothing`,
      [this.componentAppId, intervalSeconds],
    );
  }

  /** Takes the unfinished run that nobody works on and that may go on; null when there is none. */
  async claim(): Promise<SyncRun | null> {
    const [rows] = await this.dataSource.query<[SyncRun[], number]>(
      `update sync_run set lease = $2, lease_until = now() + make_interval(secs => $3), status = 'running', reason = null,
              resume_at = null
       where component_app_id = $1 and finished_at is null and (lease_until is null or lease_until < now())
         and (resume_at is null or resume_at <= now())
       returning id, lease, started_point as "startedPoint", phase, next_offset as "nextOffset", after_app_id as "afterAppId"`,
      [this.componentAppId, randomUUID(), LEASE_SECONDS],
    );
    return rows[0] ?? null;
  }

  /** Keeps the run for this process; false when another one has it. */
  async renew(run: SyncRun): Promise<boolean> {
    return this.change(run, `lease_until = now() + make_interval(secs => ${LEASE_SECONDS})`, []);
  }

  /** Notes how far it has come, so that a crash costs one step; false when another process has the run. */
  async save(run: SyncRun, { phase, nextOffset, afterAppId, total, counts = {} }: SyncProgress): Promise<boolean> {
    const added = COUNTS.map((name) => counts[name] ?? 0);
    return this.change(
      run,
      `phase = coalesce($3, phase), next_offset = coalesce($4, next_offset), after_app_id = coalesce($5, after_app_id),
       listed_at = case when phase = 'list' and coalesce($3, phase) <> 'list' then now() else listed_at end,
       total = coalesce($6, total), ${COUNTS.map((name, index) => `${name} = ${name} + $${index + 7}`).join(', ')},
       progressed_at = now()`,
      [phase ?? null, nextOffset ?? null, afterAppId ?? null, total ?? null, ...added],
    );
  }

  /** Gives the run up until `resumeAt`, for any process to go on with. */
  async pause(run: SyncRun, resumeAt: Date, reason: string): Promise<void> {
    await this.change(run, `status = 'paused', lease = null, lease_until = null, resume_at = $3, reason = $4`, [
      resumeAt,
      reason,
    ]);
  }

  /** Gives the run up, for any process to go on with at once. */
  async release(run: SyncRun): Promise<void> {
    await this.change(run, 'lease = null, lease_until = null', []);
  }

  async finish(run: SyncRun, status: 'done' | 'failed', reason: string | null = null): Promise<void> {
    await this.change(run, `status = $3, reason = $4, finished_at = now(), lease = null, lease_until = null`, [
      status,
      reason,
    ]);
  }

  /** The newest run, finished or not. */
  async latest(): Promise<SyncReport | null> {
    const [row] = await this.dataSource.query<SyncReport[]>(
      `select id as "runId", requested_by as "requestedBy", status, phase, total, ${COUNTS.join(', ')}, reason,
              resume_at as "resumeAt", started_at as "startedAt", progressed_at as "progressedAt",
              finished_at as "finishedAt"
       from sync_run where component_app_id = $1 order by id desc limit 1`,
      [this.componentAppId],
    );
    return row ?? null;
  }

  private async change({ id, lease }: SyncRun, assignments: string, values: unknown[]): Promise<boolean> {
    const [, changed] = await this.dataSource.query<[unknown[], number]>(
      `update sync_run set ${assignments} where id = $1 and lease = $2 and finished_at is null`,
      [id, lease, ...values],
    );
    return changed === 1;
  }
}
