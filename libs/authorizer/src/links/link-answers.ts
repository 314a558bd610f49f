import { z } from 'zod';
import { AUTHORIZER_STATUSES } from '../authorizer.entity.js';
import { CONFLICT_REASONS, RESOLUTIONS } from './link-bindings.js';
import { LINK_STATUSES } from './link-store.js';
import { AUTH_TYPES } from './wechat-pages.js';

const time = z.iso.datetime().meta({ example: '2026-11-21T10:00:00.000Z' });
const appId = z.string().meta({ example: 'wxf8b4f85f3a794e77' });
const at = '2026-11-21T10:00:00.000Z';

export const newLinkAnswer = z
  .object({
    id: z.string(),
    url: z.url(),
    desktopUrl: z.url(),
    mobileUrl: z.url(),
    expiresAt: time,
    status: z.enum(LINK_STATUSES),
  })
  .meta({
    id: 'NewAuthorizationLink',
    example: {
      id: 'q7Xl0w3b9Zc',
      url: 'https://open.example.com/social/with/wechat/authorize/q7Xl0w3b9Zc',
      desktopUrl: 'https://mp.weixin.qq.com/cgi-bin/componentloginpage?component_appid=wx5a0d60c8f1e2b347',
      mobileUrl: 'https://open.weixin.qq.com/wxaopen/safe/bindcomponent?action=bindcomponent',
      expiresAt: at,
      status: 'pending',
    },
  });

const conflict = z.object({
  authorizerAppId: appId,
  reason: z
    .enum(CONFLICT_REASONS)
    .describe(
      'other_tenant: the account belonged to another tenant; other_account: the link was made for another account',
    ),
  tenantId: z.string().nullable().describe('The tenant the account belonged to when it came'),
  cameAt: time,
  resolution: z.enum(RESOLUTIONS).nullable().describe('null: it waits for a decision'),
  resolvedAt: time.nullable(),
  resolvedBy: z.string().nullable(),
});

export const linkAnswer = z
  .object({
    id: z.string(),
    url: z.url(),
    status: z.enum(LINK_STATUSES),
    tenantId: z.string().nullable(),
    state: z.string().nullable(),
    authType: z.literal(AUTH_TYPES).nullable(),
    authorizerAppId: z.string().nullable().describe('What was asked for; once completed, who came'),
    permissionIds: z.array(z.int()),
    returnUrl: z.string().nullable(),
    createdBy: z.string(),
    createdAt: time,
    expiresAt: time,
    completedAt: time.nullable(),
    authorizer: z
      .object({ appId, nickName: z.string().nullable(), status: z.enum(AUTHORIZER_STATUSES).nullable() })
      .nullable(),
    conflicts: z
      .array(conflict)
      .describe('Accounts that came with the link and were not bound by it; those that wait for a decision first'),
  })
  .meta({
    id: 'AuthorizationLink',
    example: {
      ...{ id: 'q7Xl0w3b9Zc', url: 'https://open.example.com/social/with/wechat/authorize/q7Xl0w3b9Zc' },
      ...{ status: 'completed', tenantId: 't-42', state: null, authType: null, authorizerAppId: 'wxf8b4f85f3a794e77' },
      ...{ permissionIds: [], returnUrl: null, createdBy: 'alice', createdAt: at, expiresAt: at, completedAt: at },
      authorizer: { appId: 'wxf8b4f85f3a794e77', nickName: '云上茶舍', status: 'authorized' },
      conflicts: [
        {
          ...{ authorizerAppId: 'wxf8b4f85f3a794e77', reason: 'other_tenant', tenantId: 't-7', cameAt: at },
          ...{ resolution: null, resolvedAt: null, resolvedBy: null },
        },
      ],
    },
  });
