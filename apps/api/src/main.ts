import 'reflect-metadata';
import pino from 'pino';
import { DataSource } from 'typeorm';
import { createApp } from './create-app.js';
import { hasPendingMigrations, migrate } from './database.js';
import { Development } from './development/development.js';
import { DevelopmentError } from './development/development.errors.js';
import { completeEnv, EnvError, readVariables } from './env.js';
import { listenAt } from './listen-at.js';
import { reachDatabase } from './reach-database.js';
import { StartError } from './start.errors.js';
import { awaitDatabase } from './waiting-room.js';

const STOP_WITHIN_MS = 9_500;

/** Reads the environment, starts what it asks for, and ends all of it on SIGINT and SIGTERM. */
async function main(): Promise<void> {
  let stop: () => Promise<void> = () => Promise.resolve();
  onSignal(() => stop());
  const variables = readVariables(process.env);
  const development =
    variables.NODE_ENV === 'production' ? null : await Development.start(variables, process.env.NO_COLOR);
  stop = async () => development?.stop();
  const env = completeEnv(variables, development?.gaps ?? {});
  const logger = pino({ level: env.logLevel, base: undefined });
  if (development) {
    await reachDatabase(env.databaseUrl);
    await migrate(env.databaseUrl);
  } else {
    await awaitDatabase(env, logger);
  }
  const app = await createApp(env, logger);
  if (await hasPendingMigrations(app.get(DataSource)))
    logger.warn('Migrations are pending, so no push is accepted: run npm run migrate');
  stop = async () => {
    app.getHttpServer().close();
    await app.close();
    await development?.stop();
  };
  await listenAt(env, () => app.listen(env.port, env.host));
  await development?.welcome(app, env);
}

/** Stops once, in the time a supervisor waits; a second signal ends the process at once. */
function onSignal(stop: () => Promise<void>): void {
  const begin = () => {
    process.off('SIGINT', begin).off('SIGTERM', begin);
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGINT', begin).on('SIGTERM', begin);
}

/** One clear sentence for what the user can mend; the whole story for what only we can. */
function fail(error: unknown): never {
  const isForTheUser = error instanceof EnvError || error instanceof DevelopmentError || error instanceof StartError;
  console.error(isForTheUser ? error.message : error);
  process.exit(1);
}

main().catch(fail);
