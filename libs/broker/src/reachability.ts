import { type Logger } from '@nestjs/common';

/** Whether the broker can be reached: says so in one line each time that changes, and lets publications wait for it. */
export class Reachability {
  private isUp: boolean | null = null;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly logger: Logger,
    private readonly name: string,
  ) {}

  up(): void {
    if (this.isUp !== true) this.logger.log(`${this.name} is ${this.isUp === null ? 'there' : 'back'}`);
    this.isUp = true;
    for (const go of this.waiting.splice(0)) go();
  }

  down(reason: string): void {
    if (this.isUp !== false) this.logger.warn(`${this.name} cannot be reached; events for it wait: ${reason}`);
    this.isUp = false;
  }

  /** @throws the signal's reason */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.isUp) return;
    await new Promise<void>((resolve, reject) => {
      const stop = () => reject(signal.reason as Error);
      signal.addEventListener('abort', stop, { once: true });
      this.waiting.push(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
    });
  }
}
