import { type Pool } from 'pg';
import { type EntityManager } from 'typeorm';
import { CLAIM, EXPIRE_LEASES, FAIL, FINISH, RELEASE, RENEW } from './delivery.sql.js';
import { EventsError } from './events.errors.js';

/** A delivery this process may handle, and the event it is about. */
export interface LeasedDelivery {
  readonly id: string;
  readonly lease: string;
  readonly attempts: number;
  readonly position: string;
  readonly subscriber: string;
  readonly eventId: string;
  readonly type: string;
  readonly time: Date;
  readonly componentAppId: string;
  readonly authorizerAppId: string | null;
  readonly data: Record<string, unknown>;
}

/** What one look at the queue brought: the deliveries leased to us, and whether another look may bring more. */
export interface Claim {
  readonly leased: LeasedDelivery[];
  readonly more: boolean;
}

type ClaimedRow = { seen: number; parked: number; freed: number } & ({ id: null } | LeasedDelivery);

export type Outcome = 'done' | 'superseded' | 'dead';

const UNIQUE_VIOLATION = '23505';

/** How many more are looked at than can be leased, so that a long line is parked soon and others are found behind it. */
const LOOK_FURTHER = 16;

/**
 * The queue of one component's deliveries in PostgreSQL. A line is what one subscriber is told of one authorizer; only its first unfinished
 * delivery may be leased, and a unique index over leased lines makes two leases of one line impossible.
 */
export class DeliveryStore {
  constructor(
    private readonly pool: Pool,
    private readonly componentAppId: string,
  ) {}

  /** Leases up to `limit` due deliveries for `leaseSeconds`; what is not first in its line is parked until it is. */
  async claim(subscriber: string, limit: number, leaseSeconds: number): Promise<Claim> {
    const lookAt = limit + LOOK_FURTHER;
    const rows = await this.tryClaim([this.componentAppId, subscriber, limit, leaseSeconds, lookAt]);
    if (!rows) return { leased: [], more: true };
    const leased = rows.filter((row): row is ClaimedRow & LeasedDelivery => row.id !== null);
    const { seen, parked, freed } = rows[0]!;
    return { leased, more: freed > 0 || (seen === lookAt && parked + leased.length > 0) };
  }

  /** Keeps leases for `leaseSeconds` from now; answers which deliveries are still ours, and whether they were renewed this time. */
  async renew(held: readonly LeasedDelivery[], leaseSeconds: number): Promise<Map<string, boolean>> {
    const values = [held.map(({ id }) => id), held.map(({ lease }) => lease), leaseSeconds];
    const rows = await this.query<{ id: string; renewed: boolean }>('renew', RENEW, values);
    return new Map(rows.map(({ id, renewed }) => [id, renewed]));
  }

  /**
   * Gives up on deliveries whose process stopped renewing them, so that they can be leased again.
   *
   * @param delays seconds until then, by the number of the attempt that ended so, from 1
   */
  async expireLeases(delays: readonly number[]): Promise<void> {
    await this.query('expire-leases', EXPIRE_LEASES, [this.componentAppId, delays]);
  }

  /**
   * Marks a delivery finished and lets the next in its line go, within the given transaction.
   *
   * @throws EventsError LEASE_LOST when the lease is no longer ours
   */
  async finishWithin(tx: EntityManager, { id, lease }: LeasedDelivery, outcome: Outcome): Promise<void> {
    const [row] = await tx.query<[{ finished: boolean }]>(FINISH, [id, lease, outcome, null]);
    if (!row.finished) throw new EventsError('LEASE_LOST');
  }

  /**
   * Marks a delivery finished and lets the next in its line go.
   *
   * @throws EventsError LEASE_LOST when the lease is no longer ours
   */
  async finish({ id, lease }: LeasedDelivery, outcome: Outcome, error: string | null = null): Promise<void> {
    const [row] = await this.query<{ finished: boolean }>('finish', FINISH, [id, lease, outcome, error]);
    if (!row!.finished) throw new EventsError('LEASE_LOST');
  }

  /** Lets a delivery be tried again after `delaySeconds`; answers false when another process has taken it over. */
  async retryLater({ id, lease }: LeasedDelivery, delaySeconds: number, error: string): Promise<boolean> {
    const failed = await this.query('fail', FAIL, [id, lease, delaySeconds, error]);
    return failed.length === 1;
  }

  /** Gives deliveries back untried, for another process to take, at once or after `delaySeconds`. */
  async release(held: readonly LeasedDelivery[], delaySeconds = 0): Promise<void> {
    const values = [held.map(({ id }) => id), held.map(({ lease }) => lease), delaySeconds];
    await this.query('release', RELEASE, values);
  }

  private async tryClaim(values: unknown[]): Promise<ClaimedRow[] | null> {
    try {
      return await this.query<ClaimedRow>('claim', CLAIM, values);
    } catch (error) {
      if ((error as { code?: string }).code === UNIQUE_VIOLATION) return null; // Another process was first in one of the lines.
      throw error;
    }
  }

  /** Planned once for each connection. */
  private async query<Row extends object>(name: string, text: string, values: unknown[]): Promise<Row[]> {
    return (await this.pool.query<Row>({ name, text, values })).rows;
  }
}
