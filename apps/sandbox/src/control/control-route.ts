import { z } from 'zod';
import { type World } from '../world.js';

/** One thing that can be done to the sandbox over HTTP. */
export interface ControlRoute {
  method: 'GET' | 'POST';
  path: string;
  summary: string;
  body: z.ZodType;
  run(world: World, body: unknown): unknown;
}

/** A route that changes something: POST, JSON only, unknown fields refused. */
export function post<S extends z.ZodType>(
  path: string,
  summary: string,
  body: S,
  run: (world: World, body: z.output<S>) => unknown,
): ControlRoute {
  return { method: 'POST', path, summary, body, run: (world, parsed) => run(world, parsed as z.output<S>) };
}

export function get(path: string, summary: string, run: (world: World) => unknown): ControlRoute {
  return { method: 'GET', path, summary, body: z.undefined(), run };
}

export const nothing = z.strictObject({});
export const appId = z.string().min(1);
export const funcIds = z.array(z.int().positive()).max(200);

/** How a push is stamped and sent. */
export const eventOptions = {
  createTime: z.int().nonnegative().optional(),
  timestamp: z.int().nonnegative().optional(),
  nonce: z.string().optional(),
  delayMs: z.int().min(0).max(3_600_000).optional(),
  sealWith: z
    .strictObject({
      token: z.string().optional(),
      encodingAesKey: z.string().length(43).optional(),
      appId: z.string().optional(),
    })
    .optional(),
};
