import { z } from 'zod';
import { type HttpReply, type HttpRequest, json } from '../http.js';
import { type World } from '../world.js';
import { accountRoutes } from './account-routes.js';
import { apiRoutes } from './api-routes.js';
import { type ControlRoute, get } from './control-route.js';
import { pushRoutes } from './push-routes.js';
import { stateOf } from './world-view.js';

/**
 * `/sandbox/*`: the sandbox's own controls, for its page and for scripts. `GET /sandbox` lists them.
 *
 * Changes are POST with a JSON body of type application/json: no other site's page can send that without being asked.
 */
export class ControlApi {
  private readonly routes: readonly ControlRoute[];

  constructor(
    private readonly world: World,
    apiPaths: readonly string[],
  ) {
    this.routes = [
      get('/sandbox', 'This list', () => this.describe()),
      get('/sandbox/state', 'Accounts, faults, counters and settings', () => stateOf(world, apiPaths)),
      ...accountRoutes,
      ...pushRoutes,
      ...apiRoutes,
    ];
  }

  async handle(request: HttpRequest): Promise<HttpReply> {
    const route = this.routes.find(({ path }) => path === request.path);
    if (!route) return json({ error: 'No such control; GET /sandbox lists them' }, 404);
    if (route.method !== request.method) return json({ error: `Use ${route.method}` }, 405);
    if (route.method === 'POST' && !isJson(request)) return json({ error: 'Send application/json' }, 415);
    try {
      const body = route.body.parse(route.method === 'POST' ? JSON.parse(request.body || '{}') : undefined);
      return json((await route.run(this.world, body)) ?? { ok: true });
    } catch (error) {
      return json({ error: explain(error) }, 400);
    }
  }

  private describe(): object[] {
    return this.routes.map(({ method, path, summary, body }) => ({
      method,
      path,
      summary,
      ...(method === 'POST' && { body: z.toJSONSchema(body, { io: 'input' }) }),
    }));
  }
}

function isJson({ headers }: HttpRequest): boolean {
  return (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() === 'application/json';
}

function explain(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof Error ? error.message : 'failed';
}
