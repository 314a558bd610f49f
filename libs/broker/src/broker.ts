import { type CloudEvent } from './cloud-event.js';

export const BROKER = Symbol('broker');

/** Where events for other services go. */
export interface Broker {
  /**
   * Resolves once the broker has the event for good. Waits while it is away; gives up when the signal fires.
   */
  publish(event: CloudEvent, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
