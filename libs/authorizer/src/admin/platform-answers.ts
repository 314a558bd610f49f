import { z } from 'zod';
import { at, id, time } from './answers.js';

/** What admins are answered about the platform as a whole. */
const secretStanding = z.object({ configured: z.boolean(), lastUsedAt: time.nullable(), mayBeRemoved: z.boolean() });
const unusedSecret = { configured: false, lastUsedAt: null, mayBeRemoved: false };

export const platformAnswer = z
  .object({
    componentAppId: z.string(),
    health: z.enum(['ok', 'degraded', 'down']),
    reasons: z.array(z.object({ code: z.string(), message: z.string() })),
    ticket: z.object({
      receivedAt: time.nullable(),
      createTime: time.nullable(),
      ageSeconds: z.int().nullable(),
      expiresAt: time.nullable(),
    }),
    componentToken: z.object({
      status: z.enum(['valid', 'expired', 'missing']),
      expiresAt: time.nullable(),
      lastFailure: z
        .object({
          api: z.string(),
          errcode: z.int().nullable(),
          advice: z.string(),
          requestIp: z.string().nullable(),
          at: time.nullable(),
        })
        .nullable(),
    }),
    previousSecrets: z.object({ token: secretStanding, encodingAesKey: secretStanding }),
    lastPush: z.object({ infoType: z.string(), receivedAt: time }).nullable(),
    lastReconcile: z
      .object({
        runId: id,
        requestedBy: z.enum(['operator', 'schedule']),
        status: z.enum(['running', 'paused', 'done', 'failed']),
        phase: z.enum(['list', 'missing', 'profiles']),
        total: z.int().nullable(),
        ...{
          listed: z.int(),
          added: z.int(),
          restored: z.int(),
          revoked: z.int(),
          refreshed: z.int(),
          failed: z.int(),
        },
        reason: z.string().nullable(),
        resumeAt: time.nullable(),
        startedAt: time,
        progressedAt: time,
        finishedAt: time.nullable(),
      })
      .nullable(),
    authorizers: z.object({ pending: z.int(), authorized: z.int(), unauthorized: z.int() }),
    deadDeliveries: z.int(),
    openConflicts: z.int().describe('Accounts that came with a link and wait for a decision'),
  })
  .meta({
    id: 'Platform',
    example: {
      ...{ componentAppId: 'wx5a0d60c8f1e2b347', health: 'ok', reasons: [] },
      ticket: { receivedAt: at, createTime: at, ageSeconds: 240, expiresAt: at },
      componentToken: { status: 'valid', expiresAt: at, lastFailure: null },
      previousSecrets: { token: unusedSecret, encodingAesKey: unusedSecret },
      lastPush: { infoType: 'component_verify_ticket', receivedAt: at },
      lastReconcile: null,
      authorizers: { pending: 0, authorized: 42, unauthorized: 7 },
      deadDeliveries: 0,
      openConflicts: 0,
    },
  });

export const ticketPushingAnswer = z
  .object({ pushing: z.enum(['already_on', 'restarted']) })
  .meta({ id: 'TicketPushing', example: { pushing: 'restarted' } });

export const rejectionsAnswer = z
  .object({
    items: z.array(
      z.object({
        reason: z.string(),
        rejectedAt: time,
        remoteAddress: z.string(),
        bodyBytes: z.int(),
        appId: z.string().nullable(),
        timestamp: z.string().nullable(),
        check: z.string(),
      }),
    ),
    counts: z.array(z.object({ reason: z.string(), count: z.int(), firstAt: time, lastAt: time, check: z.string() })),
    nextCursor: z.string().nullable(),
  })
  .meta({
    id: 'Rejections',
    example: {
      items: [
        {
          ...{ reason: 'SIGNATURE_MISMATCH', rejectedAt: at, remoteAddress: '203.0.113.7', bodyBytes: 512 },
          ...{ appId: 'wx5a0d60c8f1e2b347', timestamp: '1795514400', check: 'Compare the token with the console.' },
        },
      ],
      counts: [
        {
          reason: 'SIGNATURE_MISMATCH',
          count: 3,
          firstAt: at,
          lastAt: at,
          check: 'Compare the token with the console.',
        },
      ],
      nextCursor: null,
    },
  });
