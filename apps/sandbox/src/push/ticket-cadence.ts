const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 5000;

/**
 * Pushes a ticket at once and then every so many seconds.
 *
 * Until one is accepted it tries more often: the platform's server is usually started a moment after WeChat's stand-in.
 */
export class TicketCadence {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  /** `pushTicket` tells whether it was accepted, or null where there is nobody to push to yet. */
  constructor(
    private readonly everySeconds: number,
    private readonly pushTicket: () => Promise<boolean | null>,
  ) {}

  start(): void {
    if (this.everySeconds > 0) void this.push(FIRST_RETRY_MS);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async push(retryMs: number): Promise<void> {
    const everyMs = this.everySeconds * 1000;
    const accepted = await this.pushTicket();
    if (this.stopped) return;
    const wait = accepted === true ? everyMs : Math.min(retryMs, everyMs);
    const nextRetryMs = accepted === false ? Math.min(retryMs * 2, LONGEST_RETRY_MS) : FIRST_RETRY_MS;
    this.timer = setTimeout(() => void this.push(nextRetryMs), wait);
  }
}
