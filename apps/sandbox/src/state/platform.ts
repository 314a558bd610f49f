import { type Clock } from '../clock.js';
import { RecentMap } from '../recent-map.js';
import { WechatError } from '../wechat-error.js';
import { mint } from './mint.js';

const TICKET_SECONDS = 12 * 3600;
export const TOKEN_SECONDS = 7200;
export const PRE_AUTH_CODE_SECONDS = 1800;

interface PreAuthCode {
  expiresAt: number;
  used: boolean;
}

/** What WeChat has handed to the platform itself: tickets, component access tokens and pre-auth codes. */
export class Platform {
  private readonly tickets = new RecentMap<string, { expiresAt: number }>(1000);
  private readonly tokens = new RecentMap<string, { expiresAt: number }>(1000);
  private readonly preAuthCodes = new RecentMap<string, PreAuthCode>(50_000);

  constructor(private readonly clock: Clock) {}

  issueTicket(): string {
    const ticket = mint.ticket();
    this.tickets.set(ticket, { expiresAt: this.clock.seconds() + TICKET_SECONDS });
    return ticket;
  }

  /** @throws WechatError 61005 or 61006. Older tickets stay good for their own twelve hours. */
  checkTicket(ticket: unknown): void {
    const known = typeof ticket === 'string' ? this.tickets.get(ticket) : undefined;
    if (!known) throw new WechatError(61006);
    if (known.expiresAt <= this.clock.seconds()) throw new WechatError(61005);
  }

  /** An earlier token stays good for its own two hours. */
  issueToken(): string {
    const token = mint.componentAccessToken();
    this.tokens.set(token, { expiresAt: this.clock.seconds() + TOKEN_SECONDS });
    return token;
  }

  tokenState(token: string): 'valid' | 'expired' | 'unknown' {
    const known = this.tokens.get(token);
    if (!known) return 'unknown';
    return known.expiresAt > this.clock.seconds() ? 'valid' : 'expired';
  }

  issuePreAuthCode(): string {
    const code = mint.preAuthCode();
    this.preAuthCodes.set(code, { expiresAt: this.clock.seconds() + PRE_AUTH_CODE_SECONDS, used: false });
    return code;
  }

  /** The code in full where it can still be used; peers send it with and without its prefix. */
  usablePreAuthCode(code: string): string | null {
    const full = code.startsWith('preauthcode@@@') ? code : `preauthcode@@@${code}`;
    const known = this.preAuthCodes.get(full);
    return known && !known.used && known.expiresAt > this.clock.seconds() ? full : null;
  }

  usePreAuthCode(code: string): void {
    const known = this.preAuthCodes.get(code);
    if (known) known.used = true;
  }

  expireTickets(): void {
    for (const ticket of this.tickets.values()) ticket.expiresAt = 0;
  }

  /** From now on they answer 42001. */
  expireTokens(): void {
    for (const token of this.tokens.values()) token.expiresAt = 0;
  }

  /** From now on they answer 40001. */
  forgetTokens(): void {
    this.tokens.clear();
  }

  expirePreAuthCodes(): void {
    for (const code of this.preAuthCodes.values()) code.expiresAt = 0;
  }
}
