/** Lets a bounded number of pieces of work run at once; the others wait in line, and not for ever. */
export class Turnstile {
  private free: number;
  private readonly waiting = new Set<() => void>();

  constructor(
    places: number,
    private readonly patienceMs: number,
  ) {
    this.free = places;
  }

  /** @throws what `tooLate` makes, when the turn has not come within the time this turnstile's work is waited for */
  async pass<T>(work: () => Promise<T>, tooLate: () => Error): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await this.turn(tooLate);
    try {
      return await work();
    } finally {
      const [next] = this.waiting;
      if (next) next();
      else this.free += 1;
    }
  }

  private turn(tooLate: () => Error): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        clearTimeout(timer);
        this.waiting.delete(enter);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(enter);
        reject(tooLate());
      }, this.patienceMs);
      this.waiting.add(enter);
    });
  }
}
