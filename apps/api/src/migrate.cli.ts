import 'reflect-metadata';
import { migrate } from './database.js';
import { EnvError, readVariables } from './env.js';
import { reachDatabase } from './reach-database.js';

/** `npm run migrate`: applies what is pending to DATABASE_URL, then ends. */
async function main(): Promise<void> {
  const { DATABASE_URL: url } = readVariables({ NODE_ENV: 'development', DATABASE_URL: process.env.DATABASE_URL });
  if (!url) throw new EnvError(['DATABASE_URL: is required']);
  await reachDatabase(url);
  const applied = await migrate(url);
  for (const name of applied) console.log(`applied ${name}`);
  console.log(applied.length === 0 ? 'The database has every migration.' : `${applied.length} migrations applied.`);
}

main().catch((error: unknown) => {
  console.error(
    error instanceof EnvError ? error.message : `The migrations were not applied: ${(error as Error).message}`,
  );
  process.exitCode = 1;
});
