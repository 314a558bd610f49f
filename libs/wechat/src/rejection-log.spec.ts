import { Logger } from '@nestjs/common';
import { type DataSource } from 'typeorm';
import { type RejectionReason } from './rejection.js';
import { RejectionLog } from './rejection-log.js';
import { type WechatOptions } from './wechat.options.js';

/** Stands in for the database: keeps what is committed, and can be away. */
class Database {
  readonly counts: Record<string, number> = {};
  notes: { reason: string }[] = [];
  isAway = false;
  slowness = Promise.resolve();

  async transaction(work: (tx: { query: Database['query'] }) => Promise<void>): Promise<void> {
    await this.slowness;
    if (this.isAway) throw new Error('it is away');
    await work(this);
  }

  query(sql: string, [, first, second]: [string, string[] | string, number[]]): Promise<void> {
    if (sql.includes('push_rejection_count'))
      for (const [at, reason] of (first as string[]).entries())
        this.counts[reason] = (this.counts[reason] ?? 0) + second[at]!;
    else if (sql.includes('insert')) this.notes.push(...(JSON.parse(first as string) as Database['notes']));
    return Promise.resolve();
  }
}

describe('what is remembered of refused pushes', () => {
  let database: Database;
  let log: RejectionLog;
  let warnings: string[];
  beforeEach(() => {
    jest.useFakeTimers();
    warnings = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((message: string) => void warnings.push(message));
    database = new Database();
    log = new RejectionLog({ appId: 'wx0' } as WechatOptions, database as unknown as DataSource);
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  const refuse = (times: number, reason: RejectionReason = 'SIGNATURE_MISMATCH') => {
    for (let i = 0; i < times; i += 1) log.record(reason, '192.0.2.1', '<xml/>', '1700000000');
  };
  const later = () => jest.advanceTimersByTimeAsync(10_000);

  it('is every one as a number, and a few of each moment as notes, however many there are', async () => {
    refuse(1_000);
    refuse(2, 'BAD_PADDING');
    await later();
    expect(database.counts).toEqual({ SIGNATURE_MISMATCH: 1_000, BAD_PADDING: 2 });
    expect(database.notes).toHaveLength(50);
    expect(database.notes.at(-1)).toMatchObject({ reason: 'BAD_PADDING', remoteAddress: '192.0.2.1', bodyBytes: 6 });
  });

  it('is the number of those too that came while the database was away', async () => {
    database.isAway = true;
    refuse(3);
    await later();
    refuse(4);
    expect(warnings[0]).toContain('it is away');
    database.isAway = false;
    await later();
    expect(database.counts).toEqual({ SIGNATURE_MISMATCH: 7 });
    await later();
    expect(database.counts).toEqual({ SIGNATURE_MISMATCH: 7 });
  });

  it('complains a few times a minute of a database that is away, however many pushes are refused', async () => {
    database.isAway = true;
    for (let second = 0; second < 60; second += 1) {
      refuse(100);
      await jest.advanceTimersByTimeAsync(1_000);
    }
    expect(warnings.length).toBeLessThanOrEqual(12);
  });

  it('is waited for by ten who ask as by one, also while the database hangs', async () => {
    const attempts = jest.spyOn(database, 'transaction').mockImplementation(async () => {
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      throw new Error('Query read timeout');
    });
    refuse(1);
    const asked = Array.from({ length: 10 }, () => Promise.allSettled([log.list(50, null), log.countByReason()]));
    await jest.advanceTimersByTimeAsync(20_000);
    await Promise.all(asked);
    expect(attempts.mock.calls.length).toBeLessThanOrEqual(3);
  });

  it('is noted also where its sender is gone already, and nobody knows any more who it was', async () => {
    log.record('MALFORMED_ENVELOPE', undefined, '<xml/>', undefined);
    await later();
    expect(database.notes).toMatchObject([{ remoteAddress: 'unknown' }]);
  });

  it('is written down before the process stops', async () => {
    refuse(3);
    await log.beforeApplicationShutdown();
    expect(database.counts).toEqual({ SIGNATURE_MISMATCH: 3 });
  });

  it('is waited for where it is being written as the process stops', async () => {
    let goOn = () => undefined as void;
    database.slowness = new Promise((resolve) => (goOn = resolve));
    refuse(1);
    await jest.advanceTimersByTimeAsync(500);
    let hasStopped = false;
    const stopped = log.beforeApplicationShutdown().then(() => (hasStopped = true));
    await jest.advanceTimersByTimeAsync(100);
    expect(hasStopped).toBe(false);
    goOn();
    await stopped;
    expect(database.counts).toEqual({ SIGNATURE_MISMATCH: 1 });
  });
});
