import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { REJECTIONS, type RejectionReason } from './rejection.js';
import { WECHAT_OPTIONS, type WechatOptions } from './wechat.options.js';

/** One refused push. Everything in it but its place, reason and time comes from whoever sent it. */
export interface RejectionRecord {
  /** Its place in the order of refusals; a bigint, so text. */
  readonly id: string;
  readonly reason: RejectionReason;
  readonly rejectedAt: Date;
  readonly remoteAddress: string;
  readonly bodyBytes: number;
  /** What the envelope claims as its AppId, where one can be read. */
  readonly appId: string | null;
  readonly timestamp: string | null;
}

export interface RejectionCount {
  readonly reason: RejectionReason;
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

const KEPT = 200;
const PER_FLUSH = 50;
const FLUSH_MS = 500;
const FLUSH_AGAIN_MS = 5_000;

/**
 * Remembers why pushes were refused. Anybody can cause a refusal, so what is kept is bounded: the last 200 of all replicas, a few
 * short fields each, written at most twice a second. The counts are complete: what an outage kept from being counted is counted after.
 */
@Injectable()
export class RejectionLog implements BeforeApplicationShutdown {
  private readonly logger = new Logger(RejectionLog.name);
  private readonly counts = new Map<RejectionReason, number>();
  private latest: Omit<RejectionRecord, 'id'>[] = [];
  private timer: NodeJS.Timeout | null = null;
  private flushing: Promise<void> = Promise.resolve();
  private next: Promise<void> | null = null;

  constructor(
    @Inject(WECHAT_OPTIONS) private readonly platform: WechatOptions,
    private readonly dataSource: DataSource,
  ) {}

  record(reason: RejectionReason, remoteAddress: string | undefined, body: unknown, timestamp: unknown): void {
    const text = typeof body === 'string' ? body : '';
    this.count(reason, 1);
    this.latest.push({
      reason,
      rejectedAt: new Date(),
      remoteAddress: remoteAddress ?? 'unknown',
      bodyBytes: Buffer.byteLength(text),
      appId: /<AppId>\s*(?:<!\[CDATA\[)?\s*(\w{1,64})/.exec(text.slice(0, 1024))?.[1] ?? null,
      timestamp: typeof timestamp === 'string' && /^\d{1,20}$/.test(timestamp) ? timestamp : null,
    });
    if (this.latest.length > PER_FLUSH) this.latest.shift();
    this.flushIn(FLUSH_MS);
  }

  /** The refused pushes that are kept, newest first; of this process up to now, of others up to half a second ago. */
  async list(limit: number, before: string | null): Promise<RejectionRecord[]> {
    await this.written();
    return this.dataSource.query<RejectionRecord[]>(
      `select r.id::text, reason, rejected_at as "rejectedAt", remote_address as "remoteAddress", body_bytes as "bodyBytes",
              app_id as "appId", push_timestamp as timestamp
       from push_rejection r where component_app_id = $1 and ($2::bigint is null or r.id < $2) order by r.id desc limit $3`,
      [this.platform.appId, before, limit],
    );
  }

  /** How often each reason has occurred, the most frequent first. */
  async countByReason(): Promise<RejectionCount[]> {
    await this.written();
    return this.dataSource.query<RejectionCount[]>(
      `select reason, count::float8 as count, first_at as "firstAt", last_at as "lastAt"
       from push_rejection_count where component_app_id = $1 order by count desc, reason`,
      [this.platform.appId],
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.written();
  }

  private count(reason: RejectionReason, times: number): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + times);
  }

  private flushIn(ms: number): void {
    this.timer ??= setTimeout(() => void this.written(), ms).unref();
  }

  /** What was refused until now is written down, in order, where the database is there. However many wait, it is tried once for all. */
  private written(): Promise<void> {
    this.next ??= this.flushing.then(() => {
      this.next = null;
      return (this.flushing = this.flush());
    });
    return this.next;
  }

  private async flush(): Promise<void> {
    if (this.counts.size === 0) return;
    clearTimeout(this.timer ?? undefined);
    this.timer = null;
    const counts = [...this.counts];
    const latest = this.latest;
    this.counts.clear();
    this.latest = [];
    try {
      await this.dataSource.transaction(async (tx) => {
        await tx.query(COUNT, [
          this.platform.appId,
          counts.map(([reason]) => reason),
          counts.map(([, times]) => times),
        ]);
        await tx.query(KEEP, [this.platform.appId, JSON.stringify(latest)]);
        await tx.query(TRIM, [this.platform.appId]);
      });
    } catch (error) {
      this.logger.warn(`Refused pushes cannot be written down, only counted: ${(error as Error).message}`);
      for (const [reason, times] of counts) this.count(reason, times);
      this.flushIn(FLUSH_AGAIN_MS);
    }
  }
}

/** What an operator should look at when pushes are refused for this reason. */
export function adviceOn(reason: RejectionReason): string {
  return REJECTIONS[reason].check;
}

const COUNT = `
insert into push_rejection_count as known (component_app_id, reason, count, first_at, last_at)
select $1, reason, count, now(), now() from unnest($2::text[], $3::bigint[]) as fresh (reason, count) order by reason
on conflict (component_app_id, reason) do update set count = known.count + excluded.count, last_at = now()`;

const KEEP = `
insert into push_rejection (component_app_id, reason, rejected_at, remote_address, body_bytes, app_id, push_timestamp)
select $1, reason, "rejectedAt", "remoteAddress", "bodyBytes", "appId", timestamp
from jsonb_to_recordset($2::jsonb) as fresh
  (reason text, "rejectedAt" timestamptz, "remoteAddress" text, "bodyBytes" integer, "appId" text, timestamp text)`;

const TRIM = `
delete from push_rejection where component_app_id = $1 and id <= (
  select id from push_rejection where component_app_id = $1 order by id desc offset ${KEPT} limit 1
)`;
