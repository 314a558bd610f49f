const MAX_ACCOUNTS = 10_000;

interface Interest {
  askedAt: number;
  expiresAt: number;
}

/** Remembers for which accounts this process was lately asked for a token, and when the tokens end. The longest unasked are forgotten. */
export class RecentlyAsked {
  private readonly interests = new Map<string, Interest>();

  constructor(private readonly now: () => number = Date.now) {}

  note(appId: string, expiresAt: Date): void {
    this.interests.delete(appId);
    this.interests.set(appId, { askedAt: this.now(), expiresAt: expiresAt.getTime() });
    if (this.interests.size > MAX_ACCOUNTS) this.interests.delete(this.interests.keys().next().value!);
  }

  /** There is another token, which nobody has asked for yet. */
  renewed(appId: string, expiresAt: Date): void {
    const interest = this.interests.get(appId);
    if (interest) interest.expiresAt = expiresAt.getTime();
  }

  /** The accounts asked for within `periodMs` whose token ends within `aheadMs`; the others beyond the period are forgotten. */
  due(periodMs: number, aheadMs: number): string[] {
    const now = this.now();
    const due: string[] = [];
    for (const [appId, { askedAt, expiresAt }] of this.interests) {
      if (now - askedAt > periodMs) this.interests.delete(appId);
      else if (expiresAt - now <= aheadMs) due.push(appId);
    }
    return due;
  }

  forget(appId: string): void {
    this.interests.delete(appId);
  }
}
