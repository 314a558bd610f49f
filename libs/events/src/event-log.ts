import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { EventsError } from './events.errors.js';

export const PUSH_STATUSES = ['received', 'processed', 'superseded', 'failed'] as const;
export type PushStatus = (typeof PUSH_STATUSES)[number];

/** One push as an operator sees it in a list. */
export interface PushRecord {
  readonly position: string;
  readonly id: string;
  readonly infoType: string;
  readonly authorizerAppId: string | null;
  readonly createTime: Date | null;
  readonly receivedAt: Date;
  readonly status: PushStatus;
  /** The most attempts that any of its deliveries has taken. */
  readonly attempts: number;
  readonly lastError: string | null;
  readonly processedAt: Date | null;
}

/** One push in full: what it said, the names of its secrets, and who was told. */
export interface PushDetail extends PushRecord {
  readonly fields: Record<string, unknown>;
  readonly secretNames: readonly string[];
  readonly deliveries: readonly DeliveryRecord[];
}

export type DeliveryState = 'waiting' | 'parked' | 'done' | 'dead';

export interface DeliveryRecord {
  readonly id: string;
  readonly subscriber: string;
  readonly status: DeliveryState;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly createdAt: Date;
  /** When it is tried next, or its lease ends; null once it is finished. */
  readonly dueAt: Date | null;
  readonly finishedAt: Date | null;
}

/** A delivery in a list of its own, with the event it is about. */
export interface DeliveryOfEvent extends DeliveryRecord {
  readonly eventId: string;
  readonly type: string;
  readonly authorizerAppId: string | null;
}

export interface PushFilter {
  readonly componentAppId: string;
  readonly infoType?: string | undefined;
  readonly authorizerAppId?: string | undefined;
  readonly status?: PushStatus | undefined;
  /** Received at or after. */
  readonly from?: Date | undefined;
  /** Received before. */
  readonly to?: Date | undefined;
  /** Continue after this push. */
  readonly after?: { readonly receivedAt: Date; readonly position: string } | undefined;
  readonly limit: number;
}

const PUSH_COLUMNS = `
  e.position::text, e.id, substr(e.type, 8) as "infoType", e.authorizer_app_id as "authorizerAppId", e.create_time as "createTime",
  e.received_at as "receivedAt", e.status, e.processed_at as "processedAt",
  coalesce((select max(d.attempts) from delivery d where d.position = e.position), 0) as attempts,
  coalesce(e.failure, (
    select d.last_error from delivery d
    where d.position = e.position and d.state <> 'done' and d.last_error is not null
    order by d.attempts desc limit 1
  )) as "lastError"`;

export const DELIVERY_COLUMNS = `
  d.id::text, d.subscriber, d.state as status, d.attempts, d.last_error as "lastError", d.created_at as "createdAt",
  case when d.finished_at is null then d.due_at end as "dueAt", d.finished_at as "finishedAt"`;

/** What an operator asks of the outbox. */
@Injectable()
export class EventLog {
  constructor(private readonly dataSource: DataSource) {}

  /** Pushes, newest first. */
  async listPushes({
    componentAppId,
    infoType,
    authorizerAppId,
    status,
    from,
    to,
    after,
    limit,
  }: PushFilter): Promise<PushRecord[]> {
    const values: unknown[] = [componentAppId, limit];
    const where = ["e.type like 'wechat.%'", 'e.component_app_id = $1'];
    const add = (value: unknown, condition: (parameter: string) => string) => {
      if (value !== undefined) where.push(condition(`$${values.push(value)}`));
    };
    add(infoType && `wechat.${infoType}`, (p) => `e.type = ${p}`);
    add(authorizerAppId, (p) => `e.authorizer_app_id = ${p}`);
    add(status, (p) => (status === 'processed' ? `e.status = ${p}` : `e.status = ${p} and e.status <> 'processed'`));
    add(from, (p) => `e.received_at >= ${p}`);
    add(to, (p) => `e.received_at < ${p}`);
    if (after)
      where.push(
        `(e.received_at, e.position) < ($${values.push(after.receivedAt)}, $${values.push(after.position)}::bigint)`,
      );
    return this.dataSource.query<PushRecord[]>(
      `select ${PUSH_COLUMNS} from event e where ${where.join(' and ')} order by e.received_at desc, e.position desc limit $2`,
      values,
    );
  }

  /** @throws EventsError UNKNOWN_EVENT */
  async findPush(componentAppId: string, id: string): Promise<PushDetail> {
    const [push] = await this.dataSource.query<Omit<PushDetail, 'deliveries'>[]>(
      `select ${PUSH_COLUMNS}, e.data as fields, e.secret_names as "secretNames" from event e
       where e.id = $2 and e.component_app_id = $1 and e.type like 'wechat.%'`,
      [componentAppId, asUuid(id)],
    );
    if (!push) throw new EventsError('UNKNOWN_EVENT');
    const deliveries = await this.dataSource.query<DeliveryRecord[]>(
      `select ${DELIVERY_COLUMNS} from delivery d where d.position = $1 order by d.subscriber`,
      [push.position],
    );
    return { ...push, deliveries };
  }

  /** How many deliveries were given up, up to a thousand. */
  async countDead(componentAppId: string): Promise<number> {
    const [row] = await this.dataSource.query<[{ count: number }]>(
      `select count(*)::int as count
       from (select from delivery where component_app_id = $1 and state = 'dead' limit 1000) as dead`,
      [componentAppId],
    );
    return row.count;
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws EventsError UNKNOWN_EVENT for text that no event can have as its id */
export function asUuid(id: string): string {
  if (!UUID.test(id)) throw new EventsError('UNKNOWN_EVENT');
  return id;
}
