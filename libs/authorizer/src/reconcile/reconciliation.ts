import { Inject, Injectable } from '@nestjs/common';
import { EventOutbox } from '@app/events';
import {
  type ListedAuthorizer,
  PlatformCredentialService,
  WECHAT_OPTIONS,
  WechatApiError,
  WechatClient,
  type WechatOptions,
} from '@app/wechat';
import { DataSource } from 'typeorm';
import { allowForWaiting, type Inquiry } from '../credential.js';
import { CredentialStore } from '../credential-store.js';
import { AuthorizerSync, type SyncOutcome } from './authorizer-sync.js';
import { CallBudget } from './call-budget.js';
import { RECONCILE_OPTIONS, type ReconcileOptions } from './reconcile.options.js';
import { ReconciledRecords } from './reconciled-records.js';
import { type SyncCount, type SyncPhase, type SyncProgress, type SyncRun } from './sync-runs.js';

/** WeChat's limit. */
const PAGE = 500;
/** How many candidates are looked up at once; each of them costs a call. */
const BATCH = 20;
const PROFILE_LIFE_DAYS = 7;

const COUNT_OF: Record<SyncOutcome, SyncCount> = {
  refreshed: 'refreshed',
  revoked: 'revoked',
  frozen: 'refreshed',
  kept: 'failed',
  disowned: 'failed',
};

/**
 * The work of a run, in steps that can be repeated: pages of WeChat's list, then the accounts that were in none of them, then stale
 * profiles. Nothing is remembered between steps but what the run's row and the records hold.
 */
@Injectable()
export class Reconciliation {
  private readonly componentAppId: string;
  private readonly budget: CallBudget;

  constructor(
    @Inject(WECHAT_OPTIONS) { appId }: WechatOptions,
    @Inject(RECONCILE_OPTIONS) { callsPerMinute }: ReconcileOptions,
    private readonly dataSource: DataSource,
    private readonly outbox: EventOutbox,
    private readonly client: WechatClient,
    private readonly platform: PlatformCredentialService,
    private readonly reconciled: ReconciledRecords,
    private readonly credentials: CredentialStore,
    private readonly sync: AuthorizerSync,
  ) {
    this.componentAppId = appId;
    this.budget = new CallBudget(callsPerMinute);
  }

  /** Does the next step; null when all is done. @throws WechatApiError, WechatUnavailable; the step can be repeated */
  async step(run: SyncRun, signal: AbortSignal): Promise<SyncProgress | null> {
    switch (run.phase) {
      case 'list':
        return this.readPage(run, signal);
      case 'missing':
        return this.lookAgain(run, 'absent', MISSING, signal);
      case 'profiles':
        return this.lookAgain(run, 'listed', STALE, signal);
    }
  }

  private async readPage(run: SyncRun, signal: AbortSignal): Promise<SyncProgress> {
    await this.budget.take(signal);
    const inquiry = await this.credentials.inquire();
    const page = await this.platform.call((token) =>
      this.client.authorizerList(token, run.nextOffset, PAGE, { signal }),
    );
    const counts = { listed: page.items.length, added: 0, restored: 0 };
    for (const entry of await this.unsettled(page.items, run)) {
      const adoption = await this.outbox.transaction((tx) => this.reconciled.adopt(tx, entry, inquiry, run.id));
      if (adoption !== 'nothing') counts[adoption] += 1;
      signal.throwIfAborted();
    }
    const nextOffset = run.nextOffset + PAGE;
    const isLast = nextOffset >= page.totalCount || page.items.length === 0;
    return { nextOffset, total: page.totalCount, counts, phase: isLast ? 'missing' : 'list' };
  }

  /** Notes in the records that they were seen; answers the entries that may need more than that. */
  private async unsettled(items: readonly ListedAuthorizer[], run: SyncRun): Promise<ListedAuthorizer[]> {
    const appIds = items.map(({ authorizerAppId }) => authorizerAppId);
    await this.dataSource.transaction(async (tx) => {
      await allowForWaiting(tx);
      await tx.query(SEEN, [this.componentAppId, appIds, run.id]);
    });
    const rows = await this.dataSource.query<{ appId: string }[]>(UNSETTLED, [this.componentAppId, appIds]);
    const unsettled = new Set(rows.map(({ appId }) => appId));
    return items.filter(({ authorizerAppId }) => unsettled.has(authorizerAppId));
  }

  private async lookAgain(
    run: SyncRun,
    listed: 'absent' | 'listed',
    { sql, next }: Candidates,
    signal: AbortSignal,
  ): Promise<SyncProgress | null> {
    const values = [this.componentAppId, run.afterAppId, run.startedPoint, run.id];
    const rows = await this.dataSource.query<{ appId: string }[]>(sql, values);
    const last = rows.at(-1);
    if (!last) return next && { phase: next, afterAppId: '' };
    const counts: Partial<Record<SyncCount, number>> = {};
    for (const { appId } of rows) {
      await this.budget.take(signal);
      const inquiry = await this.credentials.inquire();
      const count = COUNT_OF[await this.readOne(appId, listed, signal)];
      counts[count] = (counts[count] ?? 0) + 1;
      if (listed === 'absent') await this.giveUpWhereLost(appId, inquiry);
    }
    return { afterAppId: last.appId, counts };
  }

  private async giveUpWhereLost(appId: string, inquiry: Inquiry): Promise<void> {
    await this.outbox.transaction(async (tx) => {
      if (await this.reconciled.lock(tx, appId)) await this.reconciled.giveUp(tx, appId, inquiry);
    });
  }

  /** What is wrong with one account alone must not keep the others from being read. */
  private async readOne(appId: string, listed: 'absent' | 'listed', signal: AbortSignal): Promise<SyncOutcome> {
    try {
      return await this.sync.read(appId, listed, signal);
    } catch (error) {
      if (error instanceof WechatApiError && error.reaction === 'programming') return 'kept';
      throw error;
    }
  }
}

/** $1 component, $2 appids, $3 run. */
const SEEN = `
update authorizer set last_seen_run = $3
where component_app_id = $1 and app_id = any($2::text[]) and last_seen_run is distinct from $3`;

/** Of $2, those unknown, not authorized, or without a refresh token that works. */
const UNSETTLED = `
select listed.app_id as "appId" from unnest($2::text[]) listed(app_id)
left join authorizer a on a.component_app_id = $1 and a.app_id = listed.app_id
left join authorizer_credential c on c.component_app_id = $1 and c.app_id = listed.app_id
where a.app_id is null or a.status <> 'authorized' or c.refresh_token is null or c.invalid or c.lost`;

interface Candidates {
  readonly sql: string;
  readonly next: SyncPhase | null;
}

/**
 * $1 component, $2 after which appid, $3 when the run began, in the order of credentials, $4 run. Whose credential is newer may be missing
 * only because its page had been read. Who has lost its refresh token is asked about in any case.
 */
const MISSING: Candidates = {
  next: 'profiles',
  sql: `
select a.app_id as "appId"
from authorizer a left join authorizer_credential c on c.component_app_id = a.component_app_id and c.app_id = a.app_id
where a.component_app_id = $1 and a.app_id > $2 and a.last_seen_run is distinct from $4
  and (a.status <> 'unauthorized' and coalesce(c.version, 0) < $3 or c.lost)
order by a.app_id limit ${BATCH}`,
};

/** The same parameters. Accounts taken over from the list are pending until they have been read. */
const STALE: Candidates = {
  next: null,
  sql: `
select a.app_id as "appId" from authorizer a
where a.component_app_id = $1 and a.app_id > $2 and $3::bigint is not null and $4::bigint is not null
  and (a.status = 'authorized' and (a.profile_synced_at is null or a.profile_synced_at < now() - interval '${PROFILE_LIFE_DAYS} days')
    or a.status = 'pending' and a.last_seen_run = $4 and exists (
      select 1 from authorizer_credential c where c.component_app_id = $1 and c.app_id = a.app_id))
order by a.app_id limit ${BATCH}`,
};
