import 'reflect-metadata';
import { SubscriberRegistry } from '@app/events';
import { Pool } from 'pg';
import { EnvError, readVariables } from './env.js';
import { reachDatabase } from './reach-database.js';

/** `npm run remove-subscriber -- NAME`: ends a subscription of the platform that no program has any more, and drops what waits for it. */
async function main(): Promise<void> {
  const [name] = process.argv.slice(2);
  if (!name) throw new EnvError(['NAME: is missing; run npm run remove-subscriber -- NAME']);
  const { DATABASE_URL, WECHAT_COMPONENT_APP_ID } = process.env;
  const read = readVariables({ NODE_ENV: 'development', DATABASE_URL, WECHAT_COMPONENT_APP_ID });
  const { DATABASE_URL: url, WECHAT_COMPONENT_APP_ID: platform } = read;
  if (!url || !platform) throw new EnvError(['DATABASE_URL and WECHAT_COMPONENT_APP_ID: are required']);
  await reachDatabase(url);
  const pool = new Pool({ connectionString: url });
  try {
    const { wasRegistered, dropped } = await new SubscriberRegistry(pool, platform).remove(name);
    if (!wasRegistered && dropped === 0) throw new Error(`${platform} has no subscriber ${name}`);
    console.log(`${name} is told of nothing any more; ${dropped} deliveries that waited for it were dropped.`);
  } finally {
    await pool.end();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof EnvError ? error.message : `Nothing was removed: ${(error as Error).message}`);
  process.exitCode = 1;
});
