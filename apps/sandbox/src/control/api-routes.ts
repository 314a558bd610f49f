import { z } from 'zod';
import { EXPIRABLES } from '../world-options.js';
import { type ControlRoute, get, nothing, post } from './control-route.js';

const common = {
  path: z.string().optional(),
  probability: z.number().min(0).max(1).optional(),
  times: z.int().positive().optional(),
  seed: z.int().optional(),
};

const fault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('http'), status: z.int().min(200).max(599).optional(), ...common }),
  z.strictObject({ kind: z.literal('garbage'), ...common }),
  z.strictObject({ kind: z.literal('errcode'), errcode: z.int(), ...common }),
  z.strictObject({ kind: z.literal('hang'), ms: z.int().min(0).max(3_600_000), ...common }),
  z.strictObject({ kind: z.literal('reset-before'), ...common }),
  z.strictObject({ kind: z.literal('reset-after'), ...common }),
]);

/** How the component APIs behave, and how often they were called. */
export const apiRoutes: ControlRoute[] = [
  post(
    '/sandbox/faults',
    'Makes an API (path: in full or its last part; default: all) slow or failing',
    fault,
    (world, fault) => ({
      id: world.setFault(fault),
    }),
  ),
  post(
    '/sandbox/faults/clear',
    'Takes back one fault, or all',
    z.strictObject({ id: z.int().positive().optional() }),
    (world, { id }) => world.faults.clear(id),
  ),
  get('/sandbox/counters', 'Calls per API, per authorization code and per refreshed account', (world) =>
    world.counters.snapshot(),
  ),
  post('/sandbox/counters/reset', 'Counts from zero', nothing, (world) => world.counters.reset()),
  post(
    '/sandbox/expire',
    'Lets tickets, tokens or codes run out now',
    z.strictObject({ what: z.enum(EXPIRABLES) }),
    (world, { what }) => world.expire(what),
  ),
  post(
    '/sandbox/behaviour',
    'What WeChat leaves undocumented: a new refresh token at every refresh; another code on the redirect than in the push',
    z.strictObject({ rotateOnRefresh: z.boolean().optional(), redirectsWithAnotherCode: z.boolean().optional() }),
    (world, { rotateOnRefresh, redirectsWithAnotherCode }) => {
      world.authorizations.rotateOnRefresh = rotateOnRefresh ?? world.authorizations.rotateOnRefresh;
      world.redirectsWithAnotherCode = redirectsWithAnotherCode ?? world.redirectsWithAnotherCode;
    },
  ),
];
