import { Inject, Injectable } from '@nestjs/common';
import { Keyring } from '@app/keyring';
import { WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { DataSource, type EntityManager, type QueryDeepPartialEntity } from 'typeorm';
import { AuthorizerCredentialEntity } from './authorizer-credential.entity.js';
import {
  type Credential,
  type Inquiry,
  type LockedCredential,
  type RefreshedTokens,
  type Standing,
} from './credential.js';

type StandingRow = Omit<Standing, 'token'> & { accessToken: string | null; expiresAt: Date | null };

const STANDING = `
select a.status, a.attention, c.app_id is not null as "hasCredential", c.access_token as "accessToken",
       c.access_token_expires_at as "expiresAt"
from authorizer a left join authorizer_credential c using (component_app_id, app_id)
where component_app_id = $1 and app_id = $2`;

/** Whatever was wrong with the credential before is over. The number is taken once the row is ours, not before waiting for it. */
const AS_NEW_SQL = `version = nextval('credential_version'), invalid = false, retry_at = null, failure = null, updated_at = now()`;

/**
 * $1 component, $2 appid, $3 to $7 the tokens, $8 the point of the inquiry, $9 whether WeChat made a new authorization of it. Then its
 * refresh token is kept in any case. Of two access tokens that were asked for at the same time, nobody knows which is newer: another
 * one is fetched.
 */
const KEEP = `
insert into authorizer_credential as kept
  (component_app_id, app_id, access_token, access_token_expires_at, access_token_issued_at, refresh_token, permission_ids, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, now())
on conflict (component_app_id, app_id) do update set
  access_token = case when kept.version < $8 then excluded.access_token end,
  access_token_expires_at = case when kept.version < $8 then excluded.access_token_expires_at end,
  access_token_issued_at = case when kept.version < $8 then excluded.access_token_issued_at end,
  refresh_token = excluded.refresh_token, permission_ids = excluded.permission_ids,
  lost = false, ${AS_NEW_SQL}
where $9 or kept.version < $8
returning access_token is null as "isDisputed"`;

/** $1 component, $2 appid, $3 the refresh token. */
const KEEP_LISTED = `
insert into authorizer_credential (component_app_id, app_id, refresh_token) values ($1, $2, $3)
on conflict (component_app_id, app_id) do update
set refresh_token = excluded.refresh_token, lost = false, ${AS_NEW_SQL}`;

/** $1 component, $2 appid. */
const MARK_LOST = `
insert into authorizer_credential (component_app_id, app_id, lost) values ($1, $2, true)
on conflict (component_app_id, app_id) do update set lost = true, ${AS_NEW_SQL}`;

/** Keeps authorizers' tokens, each sealed for its own row and column. */
@Injectable()
export class CredentialStore {
  private readonly componentAppId: string;

  constructor(
    @Inject(WECHAT_OPTIONS) platform: WechatOptions,
    private readonly dataSource: DataSource,
    private readonly keyring: Keyring,
  ) {
    this.componentAppId = platform.appId;
  }

  /** To be made before WeChat is asked for what is kept afterwards. */
  async inquire(): Promise<Inquiry> {
    const [{ point, at }] = await this.dataSource.query<[{ point: string; at: Date }]>(
      `select nextval('credential_version') as point, clock_timestamp() as at`,
    );
    return { at, point: BigInt(point) };
  }

  /**
   * Keeps what WeChat gave for an authorization code, within the transaction in which nothing else may fail. `disputed`: another access
   * token had come meanwhile, so that neither is kept, and a third should be fetched.
   */
  async keepGranted(
    tx: EntityManager,
    appId: string,
    credential: Credential,
    inquiry: Inquiry,
  ): Promise<'kept' | 'disputed'> {
    const [row] = await this.keep(tx, appId, credential, inquiry, true);
    return credential.accessToken !== null && row?.isDisputed ? 'disputed' : 'kept';
  }

  /** Keeps what was looked up, unless what is there came to be after the inquiry. */
  async keepRecovered(tx: EntityManager, appId: string, credential: Credential, inquiry: Inquiry): Promise<void> {
    await this.keep(tx, appId, credential, inquiry, false);
  }

  /** Whether, and with what, the account can be spoken for; null when it was never heard of. One statement. */
  async standingOf(appId: string): Promise<Standing | null> {
    const [row] = await this.dataSource.query<StandingRow[]>(STANDING, [this.componentAppId, appId]);
    if (!row) return null;
    const { status, attention, hasCredential, accessToken: sealed, expiresAt } = row;
    const token =
      sealed === null || expiresAt === null
        ? null
        : { token: this.keyring.open(sealed, this.context(appId, 'access_token')), expiresAt };
    return { status, attention, hasCredential, token };
  }

  /** What is kept for the account, unless WeChat is known not to accept it. */
  async find(appId: string): Promise<Credential | null> {
    const row = await this.read(this.dataSource.manager, appId);
    return row && !row.lost && !row.invalid ? this.open(row) : null;
  }

  /** Whether it is known that only the merchant can bring another, or that nobody needs to; null where neither is known. */
  async needsMerchant(tx: EntityManager, appId: string): Promise<boolean | null> {
    const row = await this.read(tx, appId);
    if (row?.invalid) return true;
    return row?.refreshToken && !row.lost ? false : null;
  }

  async isLost(appId: string): Promise<boolean> {
    return (await this.read(this.dataSource.manager, appId))?.lost ?? false;
  }

  /** What is kept for the account, locked until the transaction ends; nobody else refreshes or replaces it meanwhile. */
  async lock(tx: EntityManager, appId: string): Promise<LockedCredential | null> {
    const row = await this.read(tx, appId, { lock: { mode: 'pessimistic_write' } });
    return (
      row && {
        ...this.open(row),
        version: BigInt(row.version),
        issuedAt: row.accessTokenIssuedAt,
        isLost: row.lost,
        isInvalid: row.invalid,
        retryAt: row.retryAt,
        failure: row.failure,
      }
    );
  }

  /** Keeps what a refresh under the lock brought: the access token and the refresh token that goes with it, in one statement. */
  async keepRefreshed(tx: EntityManager, appId: string, refreshed: RefreshedTokens): Promise<void> {
    await this.change(tx, appId, {
      accessToken: this.keyring.seal(refreshed.accessToken, this.context(appId, 'access_token')),
      accessTokenExpiresAt: refreshed.accessTokenExpiresAt,
      accessTokenIssuedAt: new Date(),
      refreshToken: this.keyring.seal(refreshed.refreshToken, this.context(appId, 'refresh_token')),
      ...AS_NEW,
    });
  }

  /** Keeps a refresh token that the list of all accounts has. An access token that is still good stays. Under the lock. */
  async keepListed(tx: EntityManager, appId: string, refreshToken: string): Promise<void> {
    const sealed = this.keyring.seal(refreshToken, this.context(appId, 'refresh_token'));
    await tx.query(KEEP_LISTED, [this.componentAppId, appId, sealed]);
  }

  /** WeChat is not asked for a token of this account before `retryAt`. */
  async pause(tx: EntityManager, appId: string, retryAt: Date, failure: string): Promise<void> {
    await this.change(tx, appId, { retryAt, failure });
  }

  /** There is no refresh token that WeChat accepts, as far as the account itself tells: its list is to be searched. */
  async markLost(tx: EntityManager, appId: string): Promise<void> {
    await tx.query(MARK_LOST, [this.componentAppId, appId]);
  }

  /** Nobody but the merchant can help. An access token that is still good stays. */
  async markInvalid(tx: EntityManager, appId: string): Promise<void> {
    await this.change(tx, appId, { ...AS_NEW, invalid: true });
  }

  /** Erases the tokens of an account that is no longer authorized. */
  async erase(tx: EntityManager, appId: string): Promise<void> {
    await tx.delete(AuthorizerCredentialEntity, this.keyOf(appId));
  }

  private keep(
    tx: EntityManager,
    appId: string,
    { accessToken, accessTokenExpiresAt, refreshToken, permissionIds }: Credential,
    { point }: Inquiry,
    isGrant: boolean,
  ): Promise<{ isDisputed: boolean }[]> {
    return tx.query(KEEP, [
      this.componentAppId,
      appId,
      accessToken && this.keyring.seal(accessToken, this.context(appId, 'access_token')),
      accessTokenExpiresAt,
      accessToken === null ? null : new Date(),
      refreshToken && this.keyring.seal(refreshToken, this.context(appId, 'refresh_token')),
      permissionIds,
      point.toString(),
      isGrant,
    ]);
  }

  private async change(
    tx: EntityManager,
    appId: string,
    values: QueryDeepPartialEntity<AuthorizerCredentialEntity>,
  ): Promise<void> {
    await tx.update(AuthorizerCredentialEntity, this.keyOf(appId), { ...values, updatedAt: new Date() });
  }

  private read(
    tx: EntityManager,
    appId: string,
    options: { lock?: { mode: 'pessimistic_write' } } = {},
  ): Promise<AuthorizerCredentialEntity | null> {
    return tx.findOne(AuthorizerCredentialEntity, { where: this.keyOf(appId), ...options });
  }

  private open({
    appId,
    accessToken,
    accessTokenExpiresAt,
    refreshToken,
    permissionIds,
  }: AuthorizerCredentialEntity): Credential {
    return {
      accessToken: accessToken && this.keyring.open(accessToken, this.context(appId, 'access_token')),
      accessTokenExpiresAt,
      refreshToken: refreshToken && this.keyring.open(refreshToken, this.context(appId, 'refresh_token')),
      permissionIds,
    };
  }

  private keyOf(appId: string): { componentAppId: string; appId: string } {
    return { componentAppId: this.componentAppId, appId };
  }

  private context(appId: string, column: 'access_token' | 'refresh_token'): string {
    return `authorizer_credential.${column}:${this.componentAppId}:${appId}`;
  }
}

/** Whatever was wrong with the credential before is over. */
const AS_NEW: QueryDeepPartialEntity<AuthorizerCredentialEntity> = {
  version: () => `nextval('credential_version')`,
  lost: false,
  invalid: false,
  retryAt: null,
  failure: null,
};
