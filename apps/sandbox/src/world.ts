import { CallCounters } from './api/call-counters.js';
import { type Fault, FaultPlan } from './api/fault-plan.js';
import { Clock } from './clock.js';
import { type ComponentCredentials, SANDBOX_CREDENTIALS, type SandboxOptions } from './options.js';
import { MessageCrypt } from './push/message-crypt.js';
import { type PushRecord } from './push/push-log.js';
import { type PushOptions, PushSender } from './push/push-sender.js';
import { type PushFields, pushXml } from './push/push-xml.js';
import { type Account, type AccountStatus } from './state/account.js';
import { Accounts, type NewAccount } from './state/accounts.js';
import { Authorizations, CODE_SECONDS, type GrantChange } from './state/authorizations.js';
import { offeredSets } from './state/permission-sets.js';
import { Platform } from './state/platform.js';
import { SEED_ACCOUNTS } from './state/seed-accounts.js';
import {
  type BulkOptions,
  type EventOptions,
  type Expirable,
  type Granted,
  type GrantOptions,
  type TicketOptions,
} from './world-options.js';

/** Everything that exists on WeChat's side, and what can be done to it. */
export class World {
  readonly credentials: ComponentCredentials;
  readonly clock: Clock;
  readonly accounts = new Accounts();
  readonly platform: Platform;
  readonly authorizations: Authorizations;
  readonly pushes: PushSender;
  readonly faults = new FaultPlan();
  readonly counters = new CallCounters();
  /** Nobody documents whether browser and push carry the same code, so a platform must stand both. */
  redirectsWithAnotherCode = false;
  private lastTicket: string | null = null;

  constructor(options: SandboxOptions) {
    this.credentials = credentialsOf(options);
    const { token, encodingAesKey, componentAppId } = this.credentials;
    new MessageCrypt(token, encodingAesKey, componentAppId); // a wrong key is told at the start, not at the first push
    this.clock = new Clock(options.now);
    this.platform = new Platform(this.clock);
    this.authorizations = new Authorizations(this.accounts, this.clock);
    this.pushes = new PushSender(this.credentials, this.clock, options.pushUrl ?? null, options.pushTimeoutMs ?? 5000);
    if (options.seedAccounts ?? true) for (const account of SEED_ACCOUNTS) this.accounts.add(account);
  }

  addAccount(account: NewAccount): Account {
    return this.accounts.add(account);
  }

  /** Adds accounts that have authorized long ago, without a push each: something to page through. */
  addAuthorizers(count: number, { exchanged = true, kind = 'mini_program' }: Partial<BulkOptions> = {}): Account[] {
    return Array.from({ length: count }, () => {
      const account = this.accounts.add({ kind });
      this.authorizations.grant(account, offeredSets(kind));
      if (account.grant) account.grant.exchanged = exchanged;
      return account;
    });
  }

  /** What a merchant's confirmation does; the push travels while the browser is already on its way home. */
  grant(appId: string, options: GrantOptions = {}): Granted & { pushed: Promise<PushRecord | null> } {
    const account = this.accounts.get(appId);
    const change = this.authorizations.grant(account, options.funcIds ?? offeredSets(account.kind));
    const code = this.authorizations.issueCode(account);
    const redirectCode = this.redirectsWithAnotherCode ? this.authorizations.issueCode(account) : code;
    const pushed =
      change === 'unchanged' || options.push === false
        ? Promise.resolve(null)
        : this.pushGrant(account, change, code, options);
    return { change, code, redirectCode, expiresIn: CODE_SECONDS, pushed };
  }

  /** Authorizes an account, or updates its sets, and waits for the server's answer. Unchanged sets push nothing. */
  async authorize(appId: string, options: GrantOptions = {}): Promise<Granted & { push: PushRecord | null }> {
    const { pushed, ...granted } = this.grant(appId, options);
    return { ...granted, push: await pushed };
  }

  /** @throws Error when the account has not authorized. */
  async updateAuthorization(
    appId: string,
    funcIds: readonly number[],
    options: GrantOptions = {},
  ): Promise<Granted & { push: PushRecord | null }> {
    if (!this.accounts.get(appId).grant) throw new Error(`${appId} has not authorized`);
    return this.authorize(appId, { ...options, funcIds });
  }

  /** @throws Error when the account has not authorized. */
  async revoke(appId: string, options: EventOptions & { push?: boolean } = {}): Promise<PushRecord | null> {
    const account = this.accounts.get(appId);
    if (!account.grant) throw new Error(`${appId} has not authorized`);
    this.authorizations.revoke(account);
    return options.push === false ? null : this.pushEvent('unauthorized', { AuthorizerAppid: appId }, options);
  }

  /** WeChat pushes nothing when an account is frozen, banned or cancelled. */
  setStatus(appId: string, status: AccountStatus): void {
    this.accounts.get(appId).status = status;
  }

  /** The stored refresh token fails from now on (61023), and only the list knows the new one. */
  replaceRefreshToken(appId: string, graceSeconds = 0): void {
    const { grant } = this.accounts.get(appId);
    if (!grant) throw new Error(`${appId} has not authorized`);
    this.authorizations.replaceRefreshToken(grant, graceSeconds);
  }

  /** Pushes a ticket, as often as asked and all at once, as WeChat's bursts come: one ticket, or a `distinct` one each. */
  async pushTicket(options: TicketOptions = {}): Promise<PushRecord[]> {
    const { times = 1, same = false, distinct = false, ...rest } = options;
    const createTime = rest.createTime ?? this.clock.seconds();
    const pushes = Array.from({ length: times }, (_, index) => {
      const ticket = this.nextTicket(same || (index > 0 && !distinct));
      return this.pushEvent('component_verify_ticket', { ComponentVerifyTicket: ticket }, { ...rest, createTime });
    });
    return Promise.all(pushes);
  }

  /** Registers a mini program for a merchant: it is authorized at once, and the push carries the code for it. */
  async fastRegister(account: Partial<NewAccount> = {}, options: EventOptions = {}): Promise<PushRecord> {
    const created = this.accounts.add({ nickName: '新注册小程序', ...account, kind: 'mini_program' });
    this.authorizations.grant(created, offeredSets('mini_program'));
    const info = {
      name: created.principalName,
      code: '91330100MA2KFXXX4A',
      code_type: 1,
      component_phone: '0571-88888888',
    };
    const auth_code = this.authorizations.issueCode(created);
    const fields = { appid: created.appId, status: 0, auth_code, msg: 'OK', info };
    return this.pushEvent('notify_third_fasteregister', fields, options);
  }

  /** Pushes any InfoType with any elements. */
  async pushEvent(infoType: string, fields: PushFields = {}, options: EventOptions = {}): Promise<PushRecord> {
    const { createTime = this.clock.seconds(), ...rest } = options;
    const head = { AppId: this.credentials.componentAppId, CreateTime: createTime, InfoType: infoType };
    return this.pushes.send(pushXml({ ...head, ...fields }), rest);
  }

  /** Pushes this text as it stands: sealed correctly, whatever is inside. */
  async pushXml(xml: string, options: PushOptions = {}): Promise<PushRecord> {
    return this.pushes.send(xml, options);
  }

  async repeat(id?: number): Promise<PushRecord> {
    return this.pushes.repeat(id);
  }

  async repeatResealed(id?: number, options: PushOptions = {}): Promise<PushRecord> {
    return this.pushes.repeatResealed(id, options);
  }

  setFault(fault: Fault): number {
    return this.faults.set(fault);
  }

  clearFaults(): void {
    this.faults.clear();
  }

  /** Lets everything of a kind run out now. `componentTokensForgotten` answers 40001 where an expired one answers 42001. */
  expire(what: Expirable): void {
    const ways: Record<Expirable, () => void> = {
      tickets: () => this.platform.expireTickets(),
      componentTokens: () => this.platform.expireTokens(),
      componentTokensForgotten: () => this.platform.forgetTokens(),
      preAuthCodes: () => this.platform.expirePreAuthCodes(),
      codes: () => this.authorizations.expireCodes(),
      accessTokens: () => this.authorizations.expireAccessTokens(),
    };
    ways[what]();
  }

  private nextTicket(same: boolean): string {
    this.lastTicket = same && this.lastTicket !== null ? this.lastTicket : this.platform.issueTicket();
    return this.lastTicket;
  }

  private pushGrant(account: Account, change: GrantChange, code: string, options: GrantOptions): Promise<PushRecord> {
    const { funcIds: _funcIds, preAuthCode, push: _push, ...rest } = options;
    const createTime = rest.createTime ?? this.clock.seconds();
    const fields: PushFields = {
      AuthorizerAppid: account.appId,
      AuthorizationCode: code,
      AuthorizationCodeExpiredTime: createTime + CODE_SECONDS,
    };
    if (preAuthCode !== undefined) fields.PreAuthCode = preAuthCode;
    return this.pushEvent(change === 'updated' ? 'updateauthorized' : 'authorized', fields, { ...rest, createTime });
  }
}

function credentialsOf(options: SandboxOptions): ComponentCredentials {
  return {
    componentAppId: options.componentAppId ?? SANDBOX_CREDENTIALS.componentAppId,
    componentAppSecret: options.componentAppSecret ?? SANDBOX_CREDENTIALS.componentAppSecret,
    token: options.token ?? SANDBOX_CREDENTIALS.token,
    encodingAesKey: options.encodingAesKey ?? SANDBOX_CREDENTIALS.encodingAesKey,
  };
}
