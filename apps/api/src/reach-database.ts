import { setTimeout as sleep } from 'node:timers/promises';
import { isDatabaseAway } from '@app/events';
import { Client } from 'pg';
import { StartError } from './start.errors.js';

/** A database that is started together with us is given this long (seconds). */
export const PATIENCE = 10;
const AGAIN_AFTER_MS = 500;
const CONNECT_WITHIN_MS = 3_000;
const OLDEST = 150_000;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * Waits until the database answers, for so many seconds.
 *
 * @throws StartError that says where it was looked for and what to do: it does not answer, does not let us in, or is too old
 */
export async function reachDatabase(url: string, seconds = PATIENCE): Promise<void> {
  for (const giveUpAt = Date.now() + seconds * 1000; ; await sleep(AGAIN_AFTER_MS)) {
    try {
      return await lookAt(url);
    } catch (error) {
      if (error instanceof StartError) throw error;
      const { code, message } = error as { code?: string; message: string };
      const reason = message || String(code);
      if (SQLSTATE.test(code ?? '') && !isDatabaseAway(error))
        throw new StartError('DATABASE_REFUSES', [placeOf(url), reason], { cause: error });
      if (Date.now() > giveUpAt)
        throw new StartError('DATABASE_AWAY', [placeOf(url), reason, String(seconds)], { cause: error });
    }
  }
}

async function lookAt(url: string): Promise<void> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: CONNECT_WITHIN_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ number: number; version: string }>(
      `select current_setting('server_version_num')::int as number, current_setting('server_version') as version`,
    );
    if (rows[0]!.number < OLDEST) throw new StartError('DATABASE_TOO_OLD', [placeOf(url), rows[0]!.version]);
  } finally {
    void client.end().catch(() => undefined);
  }
}

/** Where it is, without the password. */
function placeOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url);
  return `${hostname || searchParams.get('host')}:${port || '5432'}${pathname}`;
}
