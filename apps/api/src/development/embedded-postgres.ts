import { setTimeout as sleep } from 'node:timers/promises';
import { DevelopmentError } from './development.errors.js';
import { freePort } from './free-port.js';
import { type PostgresBinaries, program, runnableBinaries } from './postgres-binaries.js';
import { openCluster, type PostgresCluster, urlOf } from './postgres-cluster.js';
import { discard, handOver, openHome, type PostgresHome } from './postgres-home.js';
import { PostgresKeeper, ServerExitedError } from './postgres-keeper.js';
import { clearLeftBehind, stopLeftBehind } from './postgres-left-behind.js';
import { PostgresOwner } from './postgres-owner.js';

export interface EmbeddedPostgresOptions {
  /** Made if it is missing; refused if it holds anything this project did not put there. */
  readonly dataDir: string;
  /** Whether NODE_ENV is `production`, where nothing is embedded. */
  readonly production: boolean;
  /** Made at the first start. Default `app`. */
  readonly database?: string;
  /** `false`: fast, not crash-safe, and `dataDir` is removed at the end. Default `true`. */
  readonly durable?: boolean;
}

export interface EmbeddedPostgres {
  /** With a generated password: other users of the machine do not get in. */
  readonly url: string;
  readonly port: number;
  /** Ends every connection, rolls back what is open, and settles when the server is gone. */
  stop(): Promise<void>;
}

/** What only passes: a port taken between choosing and using it, or backends of a killed server still ending. */
const PASSING = [
  'Address already in use',
  'could not create any TCP/IP sockets',
  'pre-existing shared memory',
  '"postmaster.pid"',
];
const RETRY_FOR_MS = 20_000;
const RETRY_AFTER_MS = 200;
/** Fast, and with room for the processes of several tests at once. */
const THROW_AWAY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'];

/**
 * Starts a PostgreSQL of our own on 127.0.0.1, without anything installed, as root too.
 *
 * The server ends with this process, however this process ends.
 *
 * @throws DevelopmentError with one sentence to show: in production, on a folder that is not ours or in use by another
 * start, or where PostgreSQL does not run
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, production, database = 'app', durable = true } = options;
  if (production) throw new DevelopmentError('PRODUCTION', []);
  const home = await openHome(dataDir);
  if (!durable && home.hasCluster) throw new DevelopmentError('FOLDER_NOT_EMPTY', [dataDir]);
  try {
    return await start(home, database, durable);
  } catch (error) {
    if (!durable) await discard(home);
    throw error;
  }
}

async function start(home: PostgresHome, database: string, durable: boolean): Promise<EmbeddedPostgres> {
  const binaries = await runnableBinaries(home);
  const cluster = await openCluster(home, binaries);
  if (!durable) handOver(home);
  const { keeper, port } = await launch(home, binaries, cluster, durable);
  const stop = async () => {
    await keeper.stop();
    await stopLeftBehind(cluster);
    if (!durable) await discard(home);
  };
  try {
    const owner = await PostgresOwner.connect(cluster, port);
    await owner.ensureDatabase(database);
    return { url: urlOf(cluster, port, database), port, stop: () => owner.release().then(stop) };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function launch(home: PostgresHome, binaries: PostgresBinaries, cluster: PostgresCluster, durable: boolean) {
  for (const giveUpAt = Date.now() + RETRY_FOR_MS; ; await sleep(RETRY_AFTER_MS)) {
    await clearLeftBehind(cluster);
    const port = await freePort();
    const command = serverCommand(binaries, cluster, port, durable);
    try {
      const discard = durable ? undefined : home.folder;
      return { keeper: await PostgresKeeper.launch({ account: home.account, command, discard }), port };
    } catch (error) {
      if (Date.now() > giveUpAt || !isPassing(error)) throw asDevelopmentError(error);
    }
  }
}

function serverCommand(binaries: PostgresBinaries, cluster: PostgresCluster, port: number, durable: boolean): string[] {
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'timezone=UTC',
    'log_timezone=UTC',
    ...(durable ? [] : THROW_AWAY),
  ];
  return [program(binaries, 'postgres'), '-D', cluster.folder, ...settings.flatMap((setting) => ['-c', setting])];
}

function isPassing(error: unknown): boolean {
  return error instanceof ServerExitedError && PASSING.some((phrase) => error.log.includes(phrase));
}

function asDevelopmentError(error: unknown): DevelopmentError {
  return new DevelopmentError('POSTGRES_FAILED', [error instanceof Error ? error.message : String(error)], {
    cause: error,
  });
}
