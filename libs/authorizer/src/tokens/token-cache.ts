import { type AccessToken } from '@app/wechat';

const MAX_ENTRIES = 10_000;
/** However the news of a change may get lost, after this long the row is read again. */
const MAX_AGE_MS = 60_000;

interface Entry {
  readonly token: AccessToken;
  readonly readAt: number;
}

/** A promise to keep a token, made before it is read: void once the account is dropped in between. */
export interface Reservation {
  readonly appId: string;
  isVoid: boolean;
}

/**
 * Access tokens in memory, the least recently used forgotten first.
 *
 * It works only while news of changes arrives: `open` and `close` follow the connection that brings them. A token is put under a
 * reservation taken before the row was read, so that a token read before a change is not kept after it.
 */
export class TokenCache {
  private readonly entries = new Map<string, Entry>();
  private readonly reservations = new Set<Reservation>();
  private isOpen = false;

  constructor(
    private readonly now: () => number = Date.now,
    private readonly maxEntries: number = MAX_ENTRIES,
  ) {}

  /** The token when it is good for more than `minLeftMs`. */
  find(appId: string, minLeftMs: number): AccessToken | null {
    const entry = this.entries.get(appId);
    if (!entry) return null;
    const now = this.now();
    if (now - entry.readAt > MAX_AGE_MS || entry.token.expiresAt.getTime() - now <= minLeftMs) {
      this.entries.delete(appId);
      return null;
    }
    // Taken out and put back: a Map remembers the order.
    this.entries.delete(appId);
    this.entries.set(appId, entry);
    return entry.token;
  }

  reserve(appId: string): Reservation {
    const reservation = { appId, isVoid: !this.isOpen };
    this.reservations.add(reservation);
    return reservation;
  }

  /** Ends the reservation; keeps the token unless the reservation is void. */
  settle(reservation: Reservation, token: AccessToken | null): void {
    this.reservations.delete(reservation);
    if (!token || reservation.isVoid) return;
    this.entries.set(reservation.appId, { token, readAt: this.now() });
    for (const [oldest] of this.entries) {
      if (this.entries.size <= this.maxEntries) break;
      this.entries.delete(oldest);
    }
  }

  drop(appId: string): void {
    this.entries.delete(appId);
    for (const reservation of this.reservations) if (reservation.appId === appId) reservation.isVoid = true;
  }

  /** News of changes arrives from now on. */
  open(): void {
    this.close();
    this.isOpen = true;
  }

  /** News may be missed from now on: nothing in memory can be trusted. */
  close(): void {
    this.isOpen = false;
    this.entries.clear();
    for (const reservation of this.reservations) reservation.isVoid = true;
  }
}
