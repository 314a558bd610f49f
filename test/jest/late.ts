import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { DeliveryStore } from '../../libs/events/src/delivery-store.js';
import { SubscriberWorker } from '../../libs/events/src/subscriber-worker.js';

/**
 * TEST_LATE_MS=700 npm test: whatever happens behind an answer happens late, as on a machine that has too much to do. Deliveries begin
 * and end up to so many milliseconds later, notifications are heard so many later. A test that leans on its luck turns red.
 */
const LATE_MS = Number(process.env.TEST_LATE_MS ?? 0);
/** They have a clock and deaths of their own. */
const EXEMPT = /delivery-(properties|leases)/;

if (LATE_MS > 0 && !EXEMPT.test(expect.getState().testPath ?? '')) {
  delay(SubscriberWorker.prototype, 'handle', () => Math.random() * LATE_MS);
  delay(DeliveryStore.prototype, 'finish', () => Math.random() * LATE_MS);
  delay(Client.prototype, '_handleNotification', () => LATE_MS);
}

function delay(prototype: object, method: string, ms: () => number): void {
  const methods = prototype as Record<string, (...values: unknown[]) => unknown>;
  const original = methods[method];
  if (!original) throw new Error(`There is no ${method} to delay`);
  methods[method] = async function (...values) {
    await sleep(ms());
    return original.apply(this, values);
  };
}
