import { setTimeout as sleep } from 'node:timers/promises';

/** Spaces calls evenly, so that there are never more than so many in a minute. */
export class CallBudget {
  private readonly spacingMs: number;
  private nextAt = 0;

  constructor(
    callsPerMinute: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.spacingMs = 60_000 / callsPerMinute;
  }

  /** Resolves when the next call may be made. @throws the signal's reason when it is aborted before. */
  async take(signal: AbortSignal): Promise<void> {
    const now = this.now();
    const at = Math.max(now, this.nextAt);
    this.nextAt = at + this.spacingMs;
    if (at > now) await sleep(at - now, undefined, { signal });
    signal.throwIfAborted();
  }
}
