import { addressGroup, RateLimiter } from '@app/access';
import { AuthorizerError, type AuthorizerProblem } from '../authorizer.errors.js';

/** What may cost a call to WeChat: many merchants can share one address, but not that many at once. */
const ALL = { burst: 100, perSecond: 0.5 };
/** Of what is exchanged without a link in a minute, one address cannot take all. */
const UNPROVEN = { burst: 15, perSecond: 0.25 };

/** How often one address may do what can cost a call to WeChat. In memory, and bounded as its limiters are. */
export class MerchantLimits {
  private readonly all = new RateLimiter(ALL, Date.now);
  private readonly unproven = new RateLimiter(UNPROVEN, Date.now);

  /** @throws AuthorizerError LINK_OPENED_TOO_OFTEN */
  opening(ip: string): void {
    refuse('LINK_OPENED_TOO_OFTEN', this.all.take(addressGroup(ip)));
  }

  /** @throws AuthorizerError TOO_MANY_CODES */
  bringingCode(ip: string, linkId: string | null): void {
    const address = addressGroup(ip);
    if (linkId === null) refuse('TOO_MANY_CODES', this.unproven.take(address));
    refuse('TOO_MANY_CODES', this.all.take(address));
  }
}

function refuse(code: AuthorizerProblem, waitSeconds: number): void {
  if (waitSeconds > 0) throw new AuthorizerError(code, { retryAfterSeconds: waitSeconds });
}
