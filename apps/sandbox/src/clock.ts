/** The one source of time; WeChat counts in whole seconds. */
export class Clock {
  constructor(private readonly now: () => number = Date.now) {}

  milliseconds(): number {
    return this.now();
  }

  seconds(): number {
    return Math.floor(this.now() / 1000);
  }
}
