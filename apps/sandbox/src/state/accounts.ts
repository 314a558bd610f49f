import { randomBytes } from 'node:crypto';
import { type Account, type AccountKind, type Grant } from './account.js';
import { mint } from './mint.js';

/** Only the kind is needed; the rest is invented. */
export type NewAccount = { kind: AccountKind } & Partial<
  Pick<Account, 'appId' | 'userName' | 'nickName' | 'principalName' | 'alias' | 'signature' | 'verified' | 'status'> & {
    hasApiAbility: boolean;
  }
>;

const LIMIT = 500_000;

/** All accounts WeChat has in this little world, and which of them have authorized the platform. */
export class Accounts {
  private readonly byAppId = new Map<string, Account>();
  private readonly granted = new Map<string, Account>();
  private listed: Account[] | null = null;

  /** @throws Error when the appid is taken or the world is full. */
  add(account: NewAccount): Account {
    const appId = account.appId ?? `wx${randomBytes(8).toString('hex')}`;
    if (this.byAppId.has(appId)) throw new Error(`There is an account ${appId} already`);
    if (this.byAppId.size >= LIMIT) throw new Error(`The sandbox holds at most ${LIMIT} accounts`);
    const added: Account = {
      userName: mint.originalId(),
      nickName: `新商户 ${this.byAppId.size + 1}`,
      principalName: '示例商贸有限公司',
      alias: '',
      signature: '',
      verified: true,
      status: 'normal',
      hasApiAbility: true,
      grant: null,
      generations: 0,
      options: {},
      ...account,
      appId,
    };
    this.byAppId.set(appId, added);
    return added;
  }

  find(appId: string): Account | undefined {
    return this.byAppId.get(appId);
  }

  /** @throws Error for an unknown appid. */
  get(appId: string): Account {
    const account = this.byAppId.get(appId);
    if (!account) throw new Error(`There is no account ${appId}`);
    return account;
  }

  get size(): number {
    return this.byAppId.size;
  }

  /** The first `limit` accounts that pass, oldest first. */
  first(limit: number, passes: (account: Account) => boolean = () => true): Account[] {
    const found: Account[] = [];
    for (const account of this.byAppId.values()) {
      if (found.length >= limit) break;
      if (passes(account)) found.push(account);
    }
    return found;
  }

  setGrant(account: Account, grant: Grant | null): void {
    account.grant = grant;
    const wasListed = this.granted.has(account.appId);
    if (grant) this.granted.set(account.appId, account);
    else this.granted.delete(account.appId);
    if (wasListed !== (grant !== null)) this.listed = null;
  }

  /** Accounts that have authorized the platform, in the order of their authorization. */
  authorized(): readonly Account[] {
    this.listed ??= [...this.granted.values()];
    return this.listed;
  }
}
