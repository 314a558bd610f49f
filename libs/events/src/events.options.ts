import { type WorkerTiming } from './subscriber-worker.js';

export const EVENTS_OPTIONS = Symbol('events-options');

export interface EventsOptions {
  /** Where the outbox is, for the connections that are not TypeORM's: the intake pool and the listener. */
  readonly databaseUrl: string;
  /** The platform whose events this process tells of; others in the same database are none of its business. */
  readonly componentAppId: string;
  readonly timing: WorkerTiming;
}
