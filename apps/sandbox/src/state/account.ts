export const ACCOUNT_KINDS = [
  'official_account',
  'service_account',
  'mini_program',
  'channels',
  'store',
  'talent',
] as const;
export type AccountKind = (typeof ACCOUNT_KINDS)[number];

/** Account states with WeChat's `account_status` numbers. */
export const ACCOUNT_STATUS = { normal: 1, cancelled: 14, banned: 16, warned: 18, frozen: 19 } as const;
export type AccountStatus = keyof typeof ACCOUNT_STATUS;

/** What a merchant has granted to the platform. */
export interface Grant {
  /** Counts the authorizations of one account: codes of an earlier one are worthless in a later one. */
  readonly generation: number;
  funcIds: readonly number[];
  /** Unix seconds. */
  authTime: number;
  refreshToken: string;
  /** The refresh token before the last change and until when (unix seconds) it still works. */
  previous: { refreshToken: string; until: number } | null;
  /** Whether a code was ever exchanged; before that, WeChat's list shows no refresh token. */
  exchanged: boolean;
}

export interface Account {
  readonly appId: string;
  readonly kind: AccountKind;
  userName: string;
  nickName: string;
  principalName: string;
  alias: string;
  signature: string;
  verified: boolean;
  status: AccountStatus;
  /** Accounts without API ability are authorized but get no tokens. */
  hasApiAbility: boolean;
  grant: Grant | null;
  generations: number;
  /** 账号选项, official accounts only; absent means "0". */
  options: Record<string, string>;
}

/** Frozen, banned and cancelled accounts refuse calls (50002) and do not appear on the authorization page. */
export function isLimited(account: Account): boolean {
  return account.status === 'frozen' || account.status === 'banned' || account.status === 'cancelled';
}
