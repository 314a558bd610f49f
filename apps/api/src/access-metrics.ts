import { type AccessFailures } from '@app/access';
import { Counter, type Registry } from 'prom-client';

/** Shows how many requests were turned away, and why; whose they were is in the log. */
export function countAccessFailures(registry: Registry, failures: AccessFailures): void {
  new Counter({
    name: 'admin_access_failures_total',
    help: 'Requests to guarded routes that were turned away, by reason',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(failures.snapshot())) this.inc({ reason }, count);
    },
  });
}
