import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Logger } from 'pino';
import { FIXED_HEADERS } from './browser-protection.js';
import { RECEIVE_EVENT } from './create-app.js';
import { type Env } from './env.js';
import { listenAt } from './listen-at.js';
import { NotReady } from './not-ready.js';
import { problemOf } from './problem.filter.js';
import { PATIENCE, reachDatabase } from './reach-database.js';
import { StartError } from './start.errors.js';

/** Seconds. */
const SAY_AGAIN_AFTER = 60;

/**
 * Waits for a database that is away, so that nobody has to start us again. Meanwhile we are alive, not ready, and every push is told
 * to come again: WeChat counts it as failed.
 *
 * @throws StartError where waiting does not help: the database does not let us in, is too old, or our port is taken
 */
export async function awaitDatabase(env: Env, logger: Logger): Promise<void> {
  if (!(await whyAway(env, 0))) return;
  const room = createWaitingRoom();
  await listenAt(env, () => once(room.listen(env.port, env.host), 'listening'));
  for (let seconds = PATIENCE, why; (why = await whyAway(env, seconds)); seconds = SAY_AGAIN_AFTER)
    logger.error(`${why} Until then pushes are answered 503.`);
  await leave(room);
}

/** What to tell the operator after so many seconds; null as soon as the database answers. */
async function whyAway({ databaseUrl }: Env, seconds: number): Promise<string | null> {
  try {
    await reachDatabase(databaseUrl, seconds);
    return null;
  } catch (error) {
    if (error instanceof StartError && error.code === 'DATABASE_AWAY') return error.message;
    throw error;
  }
}

function createWaitingRoom(): Server {
  return createServer({ keepAlive: false }, (request, response) => {
    request.resume();
    response.shouldKeepAlive = false;
    answer(request, response);
  });
}

/** Ends every connection, so that the application can listen at the same place. */
async function leave(room: Server): Promise<void> {
  const closed = once(room, 'close');
  room.close();
  room.closeAllConnections();
  await closed;
}

function answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
  const [path] = url.split('?');
  if (path === '/health/live') {
    response.writeHead(200, { ...FIXED_HEADERS, 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify({ status: 'ok' }));
    return;
  }
  // What load balancers probe needs no database, now or later.
  if (path === RECEIVE_EVENT && !url.includes('echostr=') && (method === 'GET' || method === 'HEAD')) {
    response.writeHead(200, { ...FIXED_HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end();
    return;
  }
  response.writeHead(503, {
    ...FIXED_HEADERS,
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
    'retry-after': '5',
  });
  response.end(JSON.stringify(problemOf(new NotReady('DATABASE_UNAVAILABLE'))));
}
