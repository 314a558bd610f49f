import { Inject, Injectable } from '@nestjs/common';
import { WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { DataSource, type EntityManager } from 'typeorm';
import { type ConflictReason, type Resolution } from './link-bindings.js';
import { type AuthType } from './wechat-pages.js';

export const LINK_STATUSES = ['pending', 'completed', 'expired'] as const;
export type LinkStatus = (typeof LINK_STATUSES)[number];

/** What a link asks for, as its maker said it. */
export interface LinkWish {
  readonly tenantId: string | null;
  readonly state: string | null;
  readonly authType: AuthType | null;
  readonly requestedAppId: string | null;
  readonly permissionIds: readonly number[];
  readonly returnUrl: string | null;
}

export interface AuthorizationLink extends LinkWish {
  readonly id: string;
  readonly status: LinkStatus;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly completedAt: Date | null;
  readonly completedAppId: string | null;
  /** Sealed: what the redirect must bring along to bind. */
  readonly redirectToken: string;
}

/** An account that came with the link and was not bound by it. */
export interface Conflict {
  readonly authorizerAppId: string;
  readonly reason: ConflictReason;
  /** The tenant it belonged to when it came. */
  readonly tenantId: string | null;
  readonly cameAt: string;
  /** Null while it waits for a decision. */
  readonly resolution: Resolution | null;
  readonly resolvedAt: string | null;
  readonly resolvedBy: string | null;
}

/** A link in the list, with the account that completed it. */
export interface ListedLink extends AuthorizationLink {
  /** Its place in the list. */
  readonly position: string;
  readonly nickName: string | null;
  readonly authorizerStatus: string | null;
  /** Those that wait for a decision first. */
  readonly conflicts: readonly Conflict[];
}

export interface LinkFilter {
  readonly status?: LinkStatus | undefined;
  readonly tenantId?: string | undefined;
  /** `open`: only links with a conflict that waits for a decision. */
  readonly conflict?: 'open' | undefined;
  /** Continue after this place. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Authorization links in PostgreSQL. */
@Injectable()
export class LinkStore {
  private readonly componentAppId: string;

  constructor(
    @Inject(WECHAT_OPTIONS) platform: WechatOptions,
    private readonly dataSource: DataSource,
  ) {
    this.componentAppId = platform.appId;
  }

  async insert(
    tx: EntityManager,
    link: LinkWish & { id: string; redirectToken: string; createdBy: string; daysGood: number },
  ): Promise<AuthorizationLink> {
    const [row] = await tx.query<[AuthorizationLink]>(
      `insert into authorization_link as l (component_app_id, id, tenant_id, state, auth_type, requested_app_id,
         permission_ids, return_url, redirect_token, created_by, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now() + make_interval(days => $11))
       returning ${COLUMNS}`,
      [
        ...[this.componentAppId, link.id, link.tenantId, link.state, link.authType, link.requestedAppId],
        ...[[...link.permissionIds], link.returnUrl, link.redirectToken, link.createdBy, link.daysGood],
      ],
    );
    return row;
  }

  async find(id: string): Promise<AuthorizationLink | null> {
    const [row] = await this.dataSource.query<AuthorizationLink[]>(
      `select ${COLUMNS} from authorization_link l where l.component_app_id = $1 and l.id = $2`,
      [this.componentAppId, id],
    );
    return row ?? null;
  }

  /** One link as it stands in the list. */
  async findListed(id: string): Promise<ListedLink | null> {
    const [row] = await this.select('and l.id = $2', [id]);
    return row ?? null;
  }

  /** Links by the filter, newest first. */
  async list({ status, tenantId, conflict, after, limit }: LinkFilter): Promise<ListedLink[]> {
    const values: unknown[] = [];
    const where: string[] = [];
    const add = (value: unknown, condition: (parameter: string) => string) => {
      if (value !== undefined) where.push(`and ${condition(`$${values.push(value) + 1}`)}`);
    };
    if (status) where.push(`and ${STATUS_CONDITIONS[status]}`);
    if (conflict) where.push(`and ${HAS_OPEN_CONFLICT}`);
    add(tenantId, (p) => `l.tenant_id = ${p}`);
    add(after, (p) => `l.position < ${p}::bigint`);
    return this.select(`${where.join(' ')} order by l.position desc limit ${limit}`, values);
  }

  /** How many accounts that came with links wait for a decision. */
  async countOpenConflicts(): Promise<number> {
    const [row] = await this.dataSource.query<[{ count: number }]>(
      `select count(*)::int as count from link_binding b where b.component_app_id = $1 and ${IS_OPEN}`,
      [this.componentAppId],
    );
    return row.count;
  }

  private select(rest: string, values: unknown[]): Promise<ListedLink[]> {
    return this.dataSource.query<ListedLink[]>(
      `select ${COLUMNS}, ${LISTED_COLUMNS} ${FROM} where l.component_app_id = $1 ${rest}`,
      [this.componentAppId, ...values],
    );
  }
}

const STATUS_CONDITIONS: Record<LinkStatus, string> = {
  pending: 'l.completed_at is null and l.expires_at > now()',
  completed: 'l.completed_at is not null',
  expired: 'l.completed_at is null and l.expires_at <= now()',
};

const IS_OPEN = 'b.conflict is not null and b.resolution is null';
const HAS_OPEN_CONFLICT = `exists (
  select from link_binding b where b.component_app_id = l.component_app_id and b.link_id = l.id and ${IS_OPEN})`;

const COLUMNS = `
  l.id, l.tenant_id as "tenantId", l.state, l.auth_type as "authType", l.requested_app_id as "requestedAppId",
  l.permission_ids as "permissionIds", l.return_url as "returnUrl", l.redirect_token as "redirectToken",
  l.created_by as "createdBy", l.created_at as "createdAt", l.expires_at as "expiresAt",
  l.completed_at as "completedAt", l.completed_app_id as "completedAppId",
  case when l.completed_at is not null then 'completed' when l.expires_at <= now() then 'expired' else 'pending' end as status`;

const LISTED_COLUMNS = `
  l.position::text, a.nick_name as "nickName", a.status as "authorizerStatus", c.conflicts`;

const iso = (column: string) => `to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const FROM = `
  from authorization_link l
  left join authorizer a on a.component_app_id = l.component_app_id and a.app_id = l.completed_app_id
  cross join lateral (
    select coalesce(json_agg(json_build_object(
      'authorizerAppId', b.app_id, 'reason', b.conflict, 'tenantId', b.conflict_tenant_id, 'cameAt', ${iso('b.bound_at')},
      'resolution', b.resolution, 'resolvedAt', ${iso('b.resolved_at')}, 'resolvedBy', b.resolved_by
    ) order by b.resolution is null desc, b.bound_at desc), '[]') as conflicts
    from link_binding b
    where b.component_app_id = l.component_app_id and b.link_id = l.id and b.conflict is not null
  ) c`;
