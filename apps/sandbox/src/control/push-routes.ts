import { z } from 'zod';
import { type PushFields } from '../push/push-xml.js';
import { type ControlRoute, eventOptions, get, nothing, post } from './control-route.js';

const { createTime: _createTime, ...sendOptions } = eventOptions;
const id = z.int().positive().optional();

const fieldValue: z.ZodType<PushFields[string]> = z.lazy(() =>
  z.union([z.string(), z.number(), fields, z.array(fields)]),
);
const fields: z.ZodType<PushFields> = z.lazy(() => z.record(z.string().regex(/^[A-Za-z_][\w.-]*$/), fieldValue));

/** Pushes: sent, repeated, delayed, held, and what the server answered. */
export const pushRoutes: ControlRoute[] = [
  get('/sandbox/pushes', 'The last 200 pushes with what the server answered, newest first', (world) =>
    world.pushes.log.records(),
  ),
  post(
    '/sandbox/ticket',
    'Pushes a ticket; times: a burst; same: the last ticket again; distinct: another one in each push of the burst',
    z.strictObject({
      times: z.int().min(1).max(100).optional(),
      same: z.boolean().optional(),
      distinct: z.boolean().optional(),
      ...eventOptions,
    }),
    (world, options) => world.pushTicket(options),
  ),
  post(
    '/sandbox/push',
    'Pushes any InfoType with any elements',
    z.strictObject({ infoType: z.string().min(1), fields: fields.optional(), ...eventOptions }),
    (world, { infoType, fields, ...options }) => world.pushEvent(infoType, fields, options),
  ),
  post(
    '/sandbox/push-xml',
    'Seals and pushes this text as it stands',
    z.strictObject({ xml: z.string(), ...sendOptions }),
    (world, { xml, ...options }) => world.pushXml(xml, options),
  ),
  post(
    '/sandbox/repeat',
    'Sends a push (default: the last) again: to the byte, or newly sealed',
    z.strictObject({ id, resealed: z.boolean().optional() }),
    (world, { id, resealed }) => (resealed ? world.repeatResealed(id) : world.repeat(id)),
  ),
  post('/sandbox/hold', 'Holds pushes back from now on', nothing, (world) => world.pushes.hold()),
  post(
    '/sandbox/release',
    'Sends what was held, in order or reversed, and holds no longer',
    z.strictObject({ order: z.enum(['as-sent', 'reversed']).optional() }),
    (world, { order }) => world.pushes.release(order),
  ),
  post(
    '/sandbox/delay',
    'Every push waits this long from now on',
    z.strictObject({ ms: z.int().min(0).max(3_600_000) }),
    (world, { ms }) => {
      world.pushes.delayMs = ms;
    },
  ),
  post(
    '/sandbox/receiver',
    'Where pushes go; null keeps them in the log',
    z.strictObject({ url: z.url({ protocol: /^https?$/ }).nullable() }),
    (world, { url }) => {
      world.pushes.url = url;
    },
  ),
];
