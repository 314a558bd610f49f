import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { WechatApiError } from '@app/wechat';
import { remedyOf } from '../tokens/refresh-failure.js';
import { RECONCILE_OPTIONS, type ReconcileOptions } from './reconcile.options.js';
import { Reconciliation } from './reconciliation.js';
import { LEASE_SECONDS, SyncRuns, type SyncRun } from './sync-runs.js';

const LOOK_EVERY_MS = 15_000;
const HOUR_MS = 3_600_000;
const PAUSE_SECONDS = 60;
const DAILY_LIMIT = 45009;

/** Sees to it that records are compared with WeChat on schedule and on request, by one process at a time, through crashes and limits. */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Reconciler.name);
  private readonly stopping = new AbortController();
  /** Not right after the start: a deployment must not set off a run in each replica's first minute. */
  private readonly scheduledFrom: number;
  private readonly jitter = 0.9 + Math.random() / 10;
  private timer: NodeJS.Timeout | null = null;
  private working: Promise<void> | null = null;
  private isWanted = false;

  constructor(
    @Inject(RECONCILE_OPTIONS) private readonly options: ReconcileOptions,
    private readonly runs: SyncRuns,
    private readonly reconciliation: Reconciliation,
  ) {
    const delay = Math.min(HOUR_MS, (options.intervalHours * HOUR_MS) / 24);
    this.scheduledFrom = Date.now() + delay * (0.2 + Math.random() * 0.8);
  }

  onApplicationBootstrap(): void {
    this.runs.onStart(() => this.look());
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS * (0.8 + Math.random() * 0.4)).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    this.stopping.abort();
    await this.working;
  }

  /** Starts a run, or has the unfinished one go on at once; answers its id without waiting for it. */
  async request(): Promise<string> {
    return this.runs.request();
  }

  /** Whoever calls while there is work is heard when that is done. */
  private look(): void {
    this.isWanted = true;
    this.working ??= this.work().finally(() => {
      this.working = null;
    });
  }

  private async work(): Promise<void> {
    while (this.isWanted && !this.stopping.signal.aborted) {
      this.isWanted = false;
      await this.workIfNeeded().catch((error: Error) =>
        this.logger.error(`Reconciling failed: ${error.message}`, error.stack),
      );
    }
  }

  private async workIfNeeded(): Promise<void> {
    const { intervalHours } = this.options;
    if (intervalHours > 0 && Date.now() >= this.scheduledFrom)
      await this.runs.startWhenDue(intervalHours * 3600 * this.jitter);
    await this.runs.startWhenLost();
    const run = await this.runs.claim();
    if (run) await this.workOn(run);
  }

  private async workOn(run: SyncRun): Promise<void> {
    const lost = new AbortController();
    const heartbeat = setInterval(() => {
      this.runs.renew(run).then(
        (isOurs) => isOurs || lost.abort(),
        (error: Error) => this.logger.warn(`The reconciliation's lease was not renewed: ${error.message}`),
      );
    }, LEASE_SECONDS * 250);
    const signal = AbortSignal.any([this.stopping.signal, lost.signal]);
    try {
      await this.takeSteps(run, signal);
    } catch (error) {
      if (signal.aborted) await this.runs.release(run);
      else await this.stopPolitely(run, error);
    } finally {
      clearInterval(heartbeat);
    }
  }

  private async takeSteps(run: SyncRun, signal: AbortSignal): Promise<void> {
    for (let current = run; ;) {
      if (current.phase === 'profiles' && (await this.runs.mayGiveWay(run))) return this.giveWay(run);
      const progress = await this.reconciliation.step(current, signal);
      if (!progress) break;
      if (!(await this.runs.save(run, progress))) return;
      const { phase = current.phase, nextOffset = current.nextOffset, afterAppId = current.afterAppId } = progress;
      current = { ...current, phase, nextOffset, afterAppId };
    }
    await this.runs.finish(run, 'done', null);
    this.logger.log(`Reconciliation ${run.id} is done`);
    this.isWanted = true;
  }

  /** Profiles can wait; who lost a refresh token since the list was read cannot. The next run goes on with the profiles that are left. */
  private async giveWay(run: SyncRun): Promise<void> {
    await this.runs.finish(run, 'done', 'Another run goes on, which first searches the list for lost refresh tokens');
    this.isWanted = true;
  }

  private async stopPolitely(run: SyncRun, error: unknown): Promise<void> {
    const isRefusal = error instanceof WechatApiError;
    const reason = isRefusal ? `${error.message}. ${error.advice}` : (error as Error).message;
    this.logger.warn(`Reconciliation ${run.id} stops: ${reason}`);
    if (isRefusal && error.reaction === 'programming') return this.runs.finish(run, 'failed', reason);
    await this.runs.pause(run, resumeAfter(error), reason);
  }
}

function resumeAfter(error: unknown): Date {
  if (error instanceof WechatApiError && error.errcode === DAILY_LIMIT) return nextMidnightInChina();
  let seconds = PAUSE_SECONDS;
  try {
    const remedy = remedyOf(error);
    if ('retryAfterSeconds' in remedy) seconds = Math.max(seconds, remedy.retryAfterSeconds);
  } catch {
    // No failure of WeChat's, the database's perhaps: it may pass as well.
  }
  return new Date(Date.now() + seconds * 1000);
}

/** Daily limits begin anew then; a few minutes later, because clocks differ. */
function nextMidnightInChina(): Date {
  const day = 24 * HOUR_MS;
  const ahead = 8 * HOUR_MS;
  return new Date((Math.floor((Date.now() + ahead) / day) + 1) * day - ahead + 5 * 60_000);
}
