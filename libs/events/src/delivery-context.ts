import { type EntityManager } from 'typeorm';

/** What a durable subscriber is told beside the event. */
export interface DeliveryContext {
  /** The event's place in the order of arrival, for comparing events of the same second. */
  readonly position: bigint;
  /** 1 at the first attempt. */
  readonly attempt: number;
  /** Fires when the process stops or when the lease on this delivery is lost: stop working, another process will go on. */
  readonly signal: AbortSignal;
  /**
   * Runs `work` in a transaction that also marks this delivery done, so that its effects on the database happen exactly once.
   * Call it last. When it rejects, nothing of it has happened and the delivery is retried.
   *
   * @throws EventsError LEASE_LOST when another process has taken the delivery over: the transaction is rolled back.
   */
  transaction<T>(work: (tx: EntityManager) => Promise<T>): Promise<T>;
  /** Reports that the event changed nothing, because a newer one had already taken effect. */
  supersede(): void;
}
