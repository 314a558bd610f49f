import { Inject, Injectable } from '@nestjs/common';
import { type AccessCaller } from '@app/access';
import { WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { DataSource } from 'typeorm';

/** An action that is about to be tried. */
export interface Attempt {
  readonly actor: AccessCaller;
  readonly action: string;
  readonly target: string | null;
  /** Where the request came from. */
  readonly address: string;
}

/** The code of an action whose caller went away before everything was answered. */
export const CALLER_GONE = 'CALLER_GONE';

/** What came of it, as the caller was answered. */
export interface Outcome {
  readonly status: number;
  /** Null where all went well. */
  readonly code: string | null;
  /** What the action made. */
  readonly target: string | null;
  /** How many rows it read out, where that is what it did. */
  readonly rows: number | null;
}

export interface AuditRecord {
  readonly id: string;
  readonly at: Date;
  readonly actorName: string;
  readonly actorKind: AccessCaller['kind'];
  readonly actorRole: AccessCaller['role'];
  readonly action: string;
  readonly target: string | null;
  readonly address: string;
  /** Null while it is under way, and for ever where the process died over it. */
  readonly status: number | null;
  readonly code: string | null;
  readonly rows: number | null;
  readonly finishedAt: Date | null;
}

export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  /** At or after. */
  readonly from?: Date | undefined;
  /** Before. */
  readonly to?: Date | undefined;
  /** Continue after this entry. */
  readonly after?: { readonly at: Date; readonly id: string } | undefined;
  readonly limit: number;
}

/** What operators did. Entries are added; the database refuses to change or remove them. */
@Injectable()
export class AuditLog {
  private readonly componentAppId: string;

  constructor(
    @Inject(WECHAT_OPTIONS) platform: WechatOptions,
    private readonly dataSource: DataSource,
  ) {
    this.componentAppId = platform.appId;
  }

  /** Notes what is about to be tried, so that it is known even if nobody lives to tell how it ended; answers the entry's id. */
  async begin({ actor, action, target, address }: Attempt): Promise<string> {
    const [row] = await this.dataSource.query<[{ id: string }]>(
      `insert into audit_entry (component_app_id, actor_name, actor_kind, actor_role, action, target, address)
       values ($1, $2, $3, $4, $5, $6, $7) returning id::text`,
      [this.componentAppId, actor.name, actor.kind, actor.role, action, target, address],
    );
    return row.id;
  }

  async end(id: string, { status, code, target, rows }: Outcome): Promise<void> {
    await this.dataSource.query(
      'insert into audit_outcome (entry_id, status, code, target, rows) values ($1, $2, $3, $4, $5)',
      [id, status, code, target, rows],
    );
  }

  /** Entries, newest first. */
  async list({ actor, action, target, from, to, after, limit }: AuditFilter): Promise<AuditRecord[]> {
    const values: unknown[] = [this.componentAppId, limit];
    const where = ['e.component_app_id = $1'];
    const add = (value: unknown, condition: (parameter: string) => string) => {
      if (value !== undefined) where.push(condition(`$${values.push(value)}`));
    };
    add(actor, (p) => `e.actor_name = ${p}`);
    add(action, (p) => `e.action = ${p}`);
    add(
      target,
      (p) => `e.id in (
      select id from audit_entry where target = ${p} union all select entry_id from audit_outcome where target = ${p})`,
    );
    add(from, (p) => `e.at >= ${p}`);
    add(to, (p) => `e.at < ${p}`);
    if (after) where.push(`(e.at, e.id) < ($${values.push(after.at)}, $${values.push(after.id)}::bigint)`);
    return this.dataSource.query<AuditRecord[]>(
      `select e.id::text, e.at, e.actor_name as "actorName", e.actor_kind as "actorKind", e.actor_role as "actorRole", e.action,
         coalesce(o.target, e.target) as target, e.address, o.status, o.code, o.rows, o.finished_at as "finishedAt"
       from audit_entry e left join audit_outcome o on o.entry_id = e.id
       where ${where.join(' and ')} order by e.at desc, e.id desc limit $2`,
      values,
    );
  }
}
