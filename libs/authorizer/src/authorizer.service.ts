import { Inject, Injectable } from '@nestjs/common';
import { type AccountType, type Attention, type Permission } from '@app/events';
import { type AccountStatus, WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { DataSource } from 'typeorm';
import { type AuthorizerStatus } from './authorizer.entity.js';
import { AuthorizerError } from './authorizer.errors.js';
import {
  type AuthorizerFilter,
  type Candidate,
  pageOfCandidates,
  pageStatement,
  statusOfSegment,
} from './authorizer-search.js';
import { permissionsOf } from './authorizer-records.js';

export { type AuthorizerFilter };

/** What took longer to count than this is not counted again at once. */
const SLOW_COUNT_MS = 50;
/** How many times as long as it took, such a count is good for. */
const COUNT_KEPT_FOR = 100;

/** Whether the access token can be used, can be had anew, was never had, or is refused by WeChat for good. */
export type CredentialStatus = 'valid' | 'expired' | 'missing' | 'invalid';

/** An authorizer as admins and neighbouring modules see it. */
export interface Authorizer {
  readonly appId: string;
  readonly componentAppId: string;
  readonly status: AuthorizerStatus;
  readonly accountType: AccountType;
  readonly nickName: string | null;
  readonly userName: string | null;
  readonly principalName: string | null;
  readonly alias: string | null;
  readonly headImageUrl: string | null;
  readonly qrcodeUrl: string | null;
  readonly verified: boolean | null;
  readonly accountStatus: AccountStatus | null;
  readonly permissions: readonly Permission[];
  readonly tenantId: string | null;
  readonly state: string | null;
  readonly credential: { readonly status: CredentialStatus; readonly accessTokenExpiresAt: Date | null };
  readonly attention: Attention | null;
  readonly authorizedAt: Date | null;
  readonly unauthorizedAt: Date | null;
  readonly lastEventAt: Date | null;
  readonly profileSyncedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A part of the list. A page may be shorter than its limit although there is a next one. */
export interface AuthorizerPage {
  readonly authorizers: readonly Authorizer[];
  readonly next: string[] | null;
}

/** As selected by `COLUMNS`. */
interface Row extends Omit<Authorizer, 'permissions' | 'credential'> {
  /** The place in the list; a bigint, so text. */
  readonly id: string;
  readonly permissionIds: number[];
  readonly accessTokenExpiresAt: Date | null;
  readonly credentialStatus: CredentialStatus;
}

/** Finds authorizers, for admins and for neighbouring modules. */
@Injectable()
export class AuthorizerService {
  private readonly componentAppId: string;
  private counts: { until: number; readonly value: Promise<Record<AuthorizerStatus, number>> } | null = null;

  constructor(
    @Inject(WECHAT_OPTIONS) platform: WechatOptions,
    private readonly dataSource: DataSource,
  ) {
    this.componentAppId = platform.appId;
  }

  /** @throws AuthorizerError UNKNOWN_AUTHORIZER */
  async find(appId: string): Promise<Authorizer> {
    const [row] = await this.select('and a.app_id = $2 limit 1', [appId]);
    if (!row) throw new AuthorizerError('UNKNOWN_AUTHORIZER');
    return authorizerOf(row);
  }

  /** Authorizers by the filter: in order of the name that `q` found, else the last to become known first. */
  async list(filter: AuthorizerFilter): Promise<AuthorizerPage> {
    const statement = pageStatement({ ...filter, componentAppId: this.componentAppId });
    const candidates = await this.dataSource.query<Candidate[]>(statement.text, [...statement.values]);
    const { ids, next } = pageOfCandidates(candidates, statement, filter.limit);
    const rows = await this.select('and a.id = any ($2::bigint[])', [ids]);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return { authorizers: ids.flatMap((id) => byId.get(id) ?? []).map(authorizerOf), next };
  }

  /**
   * How many authorizers there are of each status. Counting takes longer the more there are: an answer that was slow to get is kept for
   * a hundred times as long as it took, so that a platform of a million accounts is counted a few times a minute at most.
   */
  async countByStatus(): Promise<Record<AuthorizerStatus, number>> {
    if (!this.counts || performance.now() > this.counts.until) this.counts = this.startCount();
    return this.counts.value;
  }

  private startCount(): NonNullable<AuthorizerService['counts']> {
    const started = performance.now();
    const counts = { until: Infinity, value: this.count() };
    counts.value.then(
      () => {
        const took = performance.now() - started;
        counts.until = took < SLOW_COUNT_MS ? 0 : performance.now() + took * COUNT_KEPT_FOR;
      },
      () => (counts.until = 0),
    );
    return counts;
  }

  private async count(): Promise<Record<AuthorizerStatus, number>> {
    const rows = await this.dataSource.query<{ segment: number; count: number }[]>(
      'select segment, count(*)::int as count from authorizer where component_app_id = $1 group by segment',
      [this.componentAppId],
    );
    const counts = { pending: 0, authorized: 0, unauthorized: 0 };
    for (const { segment, count } of rows) counts[statusOfSegment(segment)] += count;
    return counts;
  }

  private select(rest: string, values: unknown[]): Promise<Row[]> {
    return this.dataSource.query<Row[]>(`select ${COLUMNS} ${FROM} ${rest}`, [this.componentAppId, ...values]);
  }
}

const COLUMNS = `
  a.id::text, a.component_app_id as "componentAppId", a.app_id as "appId", a.status, a.account_type as "accountType",
  a.nick_name as "nickName", a.user_name as "userName", a.principal_name as "principalName", a.alias,
  a.head_image_url as "headImageUrl", a.qrcode_url as "qrcodeUrl", a.verified, a.account_status as "accountStatus",
  a.permission_ids as "permissionIds", a.tenant_id as "tenantId", a.state, a.attention, a.authorized_at as "authorizedAt",
  a.unauthorized_at as "unauthorizedAt", a.last_event_at as "lastEventAt", a.profile_synced_at as "profileSyncedAt",
  a.created_at as "createdAt", a.updated_at as "updatedAt", c.access_token_expires_at as "accessTokenExpiresAt",
  case
    when c.invalid then 'invalid'
    when c.access_token is not null and c.access_token_expires_at > now() then 'valid'
    when c.refresh_token is not null then 'expired'
    else 'missing'
  end as "credentialStatus"`;

const FROM = `
  from authorizer a
  left join authorizer_credential c on c.component_app_id = a.component_app_id and c.app_id = a.app_id
  where a.component_app_id = $1`;

function authorizerOf({ id: _, permissionIds, credentialStatus, accessTokenExpiresAt, ...facts }: Row): Authorizer {
  return {
    ...facts,
    permissions: permissionsOf(permissionIds),
    credential: { status: credentialStatus, accessTokenExpiresAt },
  };
}
