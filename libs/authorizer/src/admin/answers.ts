import { ACCOUNT_TYPES, ATTENTIONS, DELIVERY_STATES, PUSH_STATUSES } from '@app/events';
import { z } from 'zod';
import { AUTHORIZER_STATUSES } from '../authorizer.entity.js';

/** What admins are answered, as the documentation shows it. Tests hold every answer against these. */
export const time = z.iso.datetime().meta({ example: '2026-11-21T10:00:00.000Z' });
export const id = z.string().regex(/^\d+$/);
const appId = z.string().meta({ example: 'wxf8b4f85f3a794e77' });
const permission = z.object({ id: z.int(), name: z.string().nullable() });
export const at = '2026-11-21T10:00:00.000Z';

export const authorizerAnswer = z
  .object({
    appId,
    componentAppId: z.string(),
    status: z.enum(AUTHORIZER_STATUSES),
    accountType: z.enum(ACCOUNT_TYPES),
    nickName: z.string().nullable(),
    userName: z.string().nullable(),
    principalName: z.string().nullable(),
    alias: z.string().nullable(),
    headImageUrl: z.string().nullable(),
    qrcodeUrl: z.string().nullable(),
    verified: z.boolean().nullable(),
    accountStatus: z.enum(['normal', 'cancelled', 'banned', 'warned', 'frozen', 'unknown']).nullable(),
    permissions: z.array(permission),
    tenantId: z.string().nullable(),
    state: z.string().nullable(),
    credential: z.object({
      status: z.enum(['valid', 'expired', 'missing', 'invalid']),
      accessTokenExpiresAt: time.nullable(),
    }),
    attention: z.enum(ATTENTIONS).nullable(),
    authorizedAt: time.nullable(),
    unauthorizedAt: time.nullable(),
    lastEventAt: time.nullable(),
    profileSyncedAt: time.nullable(),
    createdAt: time,
    updatedAt: time,
  })
  .meta({
    id: 'Authorizer',
    example: {
      ...{ appId: 'wxf8b4f85f3a794e77', componentAppId: 'wx5a0d60c8f1e2b347', status: 'authorized' },
      ...{ accountType: 'official_account', nickName: '一家咖啡馆', userName: 'gh_3cf62f4f1d62' },
      ...{ principalName: '咖啡馆有限公司', alias: null, headImageUrl: null, qrcodeUrl: null, verified: true },
      ...{ accountStatus: 'normal', permissions: [{ id: 1, name: '消息管理' }], tenantId: 't-42', state: null },
      credential: { status: 'valid', accessTokenExpiresAt: at },
      ...{ attention: null, authorizedAt: at, unauthorizedAt: null, lastEventAt: at },
      ...{ profileSyncedAt: at, createdAt: at, updatedAt: at },
    },
  });

const push = z.object({
  id: z.uuid(),
  infoType: z.string(),
  authorizerAppId: z.string().nullable(),
  createTime: time.nullable(),
  receivedAt: time,
  status: z.enum(PUSH_STATUSES),
  attempts: z.int(),
  lastError: z.string().nullable(),
  processedAt: time.nullable(),
});
const pushExample = {
  ...{ id: '7b0d8c1e-54c0-8f3a-9a52-0f6a6d1b8d11', infoType: 'authorized', authorizerAppId: 'wxf8b4f85f3a794e77' },
  ...{ createTime: at, receivedAt: at, status: 'processed', attempts: 1, lastError: null, processedAt: at },
};
export const pushAnswer = push.meta({ id: 'Push', example: pushExample });

const delivery = z.object({
  id,
  subscriber: z.string(),
  status: z.enum(DELIVERY_STATES),
  attempts: z.int(),
  lastError: z.string().nullable(),
  createdAt: time,
  dueAt: time.nullable(),
  finishedAt: time.nullable(),
});
const deliveryExample = {
  ...{ id: '71', subscriber: 'crm.provision', status: 'dead', attempts: 12 },
  ...{ lastError: 'The CRM does not answer', createdAt: at, dueAt: null, finishedAt: at },
};

export const pushDetailAnswer = push
  .extend({
    fields: z.record(z.string(), z.unknown()).describe("WeChat's elements by name; secrets are masked"),
    deliveries: z.array(delivery),
  })
  .meta({
    id: 'PushDetail',
    example: {
      ...pushExample,
      fields: { AuthorizerAppid: 'wxf8b4f85f3a794e77', AuthorizationCode: '***' },
      deliveries: [{ ...deliveryExample, status: 'done', attempts: 1, lastError: null }],
    },
  });

export const deliveryAnswer = delivery
  .extend({
    eventId: z.uuid(),
    type: z.string(),
    authorizerAppId: z.string().nullable(),
    ageSeconds: z.int(),
  })
  .meta({
    id: 'Delivery',
    example: {
      ...deliveryExample,
      ...{ eventId: pushExample.id, type: 'authorizer.authorized', authorizerAppId: pushExample.authorizerAppId },
      ageSeconds: 90_000,
    },
  });

export const deliveriesAnswer = z
  .object({ deliveries: z.int() })
  .meta({ id: 'DeliveriesStarted', example: { deliveries: 1 } });

export const syncStartedAnswer = z.object({ runId: id }).meta({ id: 'SyncStarted', example: { runId: '7' } });

export const auditAnswer = z
  .object({
    id,
    at: time,
    actor: z.object({
      name: z.string(),
      kind: z.enum(['api-key', 'oidc']),
      role: z.enum(['viewer', 'operator', 'service']),
    }),
    action: z.string(),
    target: z.string().nullable(),
    address: z.string(),
    outcome: z
      .enum(['succeeded', 'failed', 'aborted', 'unfinished'])
      .describe('Aborted by the caller; unfinished is under way, or the process died over it'),
    status: z.int().nullable(),
    code: z.string().nullable(),
    rows: z.int().nullable().describe('How many rows an export read out'),
    finishedAt: time.nullable(),
  })
  .meta({
    id: 'AuditEntry',
    example: {
      ...{ id: '12', at, actor: { name: 'alice', kind: 'api-key', role: 'operator' }, action: 'authorizer.sync' },
      ...{ target: 'wxf8b4f85f3a794e77', address: '203.0.113.7', outcome: 'succeeded', status: 200, code: null },
      ...{ rows: null, finishedAt: at },
    },
  });

export const accessTokenAnswer = z
  .object({ accessToken: z.string(), expiresAt: time })
  .meta({ id: 'AccessToken', example: { accessToken: '61_W3YCoZ…', expiresAt: at } });

/** One page of a list. */
export function pageOfAnswers<T extends z.ZodType>(item: T) {
  return z
    .object({
      items: z.array(item),
      nextCursor: z.string().nullable().describe('The cursor of the next page; null on the last'),
    })
    .meta({ example: { items: [item.meta()?.example], nextCursor: null } });
}
