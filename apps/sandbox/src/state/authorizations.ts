import { type Clock } from '../clock.js';
import { RecentMap } from '../recent-map.js';
import { WechatError } from '../wechat-error.js';
import { type Account, type Grant, isLimited } from './account.js';
import { type Accounts } from './accounts.js';
import { mint } from './mint.js';
import { TOKEN_SECONDS } from './platform.js';

export const CODE_SECONDS = 3600;
/** How long WeChat's staff say a replaced refresh token goes on working. */
const REFRESH_TOKEN_GRACE_SECONDS = 300;

interface IssuedCode {
  readonly appId: string;
  readonly generation: number;
  expiresAt: number;
  used: boolean;
}

/** `unchanged`: the merchant confirmed the sets that were granted already; WeChat pushes nothing then. */
export type GrantChange = 'authorized' | 'updated' | 'unchanged';

export interface IssuedTokens {
  accessToken: string;
  refreshToken: string;
}

/** Grants, the codes that stand for them, and the tokens given for those. */
export class Authorizations {
  /** Answers api_authorizer_token with a new refresh token each time, which WeChat normally does not. */
  rotateOnRefresh = false;
  private readonly codes = new RecentMap<string, IssuedCode>(200_000);
  private readonly accessTokens = new RecentMap<string, { appId: string; expiresAt: number }>(200_000);

  constructor(
    private readonly accounts: Accounts,
    private readonly clock: Clock,
  ) {}

  /** Grants exactly these sets. An update that changes them replaces the refresh token. */
  grant(account: Account, funcIds: readonly number[]): GrantChange {
    const existing = account.grant;
    if (existing && sameSet(existing.funcIds, funcIds)) return 'unchanged';
    const grant: Grant = {
      generation: existing?.generation ?? ++account.generations,
      funcIds,
      authTime: this.clock.seconds(),
      refreshToken: existing?.refreshToken ?? mint.refreshToken(),
      previous: existing?.previous ?? null,
      exchanged: existing?.exchanged ?? false,
    };
    this.accounts.setGrant(account, grant);
    if (existing) this.replaceRefreshToken(grant);
    return existing ? 'updated' : 'authorized';
  }

  revoke(account: Account): void {
    this.accounts.setGrant(account, null);
    for (const [token, { appId }] of this.accessTokens) if (appId === account.appId) this.accessTokens.delete(token);
  }

  issueCode(account: Account): string {
    const code = mint.authorizationCode();
    const expiresAt = this.clock.seconds() + CODE_SECONDS;
    this.codes.set(code, { appId: account.appId, generation: account.generations, expiresAt, used: false });
    return code;
  }

  /** @throws WechatError 61009 (unknown, used or of an earlier authorization), 61010, 61003, 50002. */
  exchange(code: unknown): Account & { grant: Grant } {
    const issued = typeof code === 'string' ? this.codes.get(code) : undefined;
    if (!issued || issued.used) throw new WechatError(61009);
    if (issued.expiresAt <= this.clock.seconds()) throw new WechatError(61010);
    const account = this.usable(issued.appId);
    if (issued.generation !== account.grant.generation) throw new WechatError(61009);
    issued.used = true;
    account.grant.exchanged = true;
    return account;
  }

  /** @throws WechatError 61003, 50002, 61023. */
  refresh(appId: string, refreshToken: unknown): Account & { grant: Grant } {
    const account = this.usable(appId);
    const { grant } = account;
    if (refreshToken !== grant.refreshToken && !this.isInGrace(grant, refreshToken)) throw new WechatError(61023);
    if (this.rotateOnRefresh) this.replaceRefreshToken(grant);
    return account;
  }

  /** Replaces the refresh token without telling anybody; with no grace the old one fails at once (61023). */
  replaceRefreshToken(grant: Grant, graceSeconds = REFRESH_TOKEN_GRACE_SECONDS): void {
    grant.previous = { refreshToken: grant.refreshToken, until: this.clock.seconds() + graceSeconds };
    grant.refreshToken = mint.refreshToken();
  }

  /** Earlier access tokens stay good for their own two hours. */
  issueAccessToken(account: Account): string {
    const token = mint.authorizerAccessToken();
    this.accessTokens.set(token, { appId: account.appId, expiresAt: this.clock.seconds() + TOKEN_SECONDS });
    return token;
  }

  /** The account an access token speaks for. */
  accessTokenState(token: string): { state: 'valid' | 'expired'; appId: string } | null {
    const known = this.accessTokens.get(token);
    if (!known) return null;
    return { state: known.expiresAt > this.clock.seconds() ? 'valid' : 'expired', appId: known.appId };
  }

  expireCodes(): void {
    for (const code of this.codes.values()) code.expiresAt = 0;
  }

  expireAccessTokens(): void {
    for (const token of this.accessTokens.values()) token.expiresAt = 0;
  }

  private isInGrace({ previous }: Grant, refreshToken: unknown): boolean {
    return previous !== null && previous.refreshToken === refreshToken && previous.until > this.clock.seconds();
  }

  private usable(appId: string): Account & { grant: Grant } {
    const account = this.accounts.find(appId);
    if (!hasGrant(account)) throw new WechatError(61003);
    if (isLimited(account)) throw new WechatError(50002);
    return account;
  }
}

function hasGrant(account: Account | undefined): account is Account & { grant: Grant } {
  return account !== undefined && account.grant !== null;
}

function sameSet(some: readonly number[], others: readonly number[]): boolean {
  const known = new Set(some);
  const asked = new Set(others);
  return known.size === asked.size && [...asked].every((id) => known.has(id));
}
