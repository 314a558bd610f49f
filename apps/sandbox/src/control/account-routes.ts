import { z } from 'zod';
import { ACCOUNT_KINDS, ACCOUNT_STATUS, type AccountStatus } from '../state/account.js';
import { appId, type ControlRoute, eventOptions, funcIds, post } from './control-route.js';
import { viewOf } from './world-view.js';

const statuses = Object.keys(ACCOUNT_STATUS) as [AccountStatus, ...AccountStatus[]];

const newAccount = z.strictObject({
  kind: z.enum(ACCOUNT_KINDS),
  appId: z
    .string()
    .regex(/^wx[0-9a-f]{16}$/)
    .optional(),
  nickName: z.string().optional(),
  principalName: z.string().optional(),
  alias: z.string().optional(),
  signature: z.string().optional(),
  verified: z.boolean().optional(),
  hasApiAbility: z.boolean().optional(),
});

/** What merchants do, and what happens to their accounts. */
export const accountRoutes: ControlRoute[] = [
  post('/sandbox/accounts', 'Adds an account', newAccount, (world, account) => viewOf(world.addAccount(account))),
  post(
    '/sandbox/authorizers',
    'Adds many accounts that authorized long ago, without pushes: something to page through',
    z.strictObject({
      count: z.int().min(1).max(100_000),
      exchanged: z.boolean().optional(),
      kind: z.enum(ACCOUNT_KINDS).optional(),
    }),
    (world, { count, ...options }) => ({ added: world.addAuthorizers(count, options).length }),
  ),
  post(
    '/sandbox/authorize',
    'Authorizes an account or updates its permission sets (default: all it is asked for) and pushes what changed',
    z.strictObject({
      appId,
      funcIds: funcIds.optional(),
      preAuthCode: z.string().optional(),
      push: z.boolean().optional(),
      ...eventOptions,
    }),
    (world, { appId, ...options }) => world.authorize(appId, options),
  ),
  post(
    '/sandbox/revoke',
    'Withdraws an authorization',
    z.strictObject({ appId, push: z.boolean().optional(), ...eventOptions }),
    async (world, { appId, ...options }) => ({ push: await world.revoke(appId, options) }),
  ),
  post(
    '/sandbox/status',
    'Freezes, bans, cancels, warns an account or makes it normal again; WeChat pushes nothing then',
    z.strictObject({ appId, status: z.enum(statuses) }),
    (world, { appId, status }) => world.setStatus(appId, status),
  ),
  post(
    '/sandbox/refresh-token',
    'Replaces the refresh token without telling: the stored one answers 61023 (after graceSeconds, default 0)',
    z.strictObject({ appId, graceSeconds: z.int().min(0).optional() }),
    (world, { appId, graceSeconds }) => world.replaceRefreshToken(appId, graceSeconds),
  ),
  post(
    '/sandbox/fast-register',
    'Registers a mini program for a merchant and pushes notify_third_fasteregister',
    z.strictObject({ nickName: z.string().optional(), principalName: z.string().optional(), ...eventOptions }),
    async (world, { nickName, principalName, ...options }) => ({
      push: await world.fastRegister(
        { ...(nickName && { nickName }), ...(principalName && { principalName }) },
        options,
      ),
    }),
  ),
];
