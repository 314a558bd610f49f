import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DevelopmentError } from './development.errors.js';
import { runAs } from './postgres-account.js';
import { lastLine, placeUnlessThere, type PostgresBinaries, program } from './postgres-binaries.js';
import { makeWorkFolder, type PostgresHome } from './postgres-home.js';

const USER = 'app';
const MADE_BY = 'wechat-authorization-service';

/** A database cluster that this project made, and how to get in. */
export interface PostgresCluster {
  readonly dataDir: string;
  /** PostgreSQL's own data folder. */
  readonly folder: string;
  readonly password: string;
}

interface Marker {
  readonly madeBy: typeof MADE_BY;
  readonly major: string;
  readonly password: string;
}

/**
 * The cluster in that home, made at the first call.
 *
 * @throws DevelopmentError where the cluster there is not ours, or was made by another major version
 */
export async function openCluster(home: PostgresHome, binaries: PostgresBinaries): Promise<PostgresCluster> {
  const server = path.join(home.folder, 'server');
  if (!existsSync(server)) await makeCluster(home, binaries, server);
  const folder = path.join(server, 'cluster');
  refuseClusterOfOtherUser(home, folder);
  const { major, password } = readMarker(home, server);
  if (major !== binaries.major)
    throw new DevelopmentError('FOLDER_OF_OTHER_VERSION', [home.dataDir, major, binaries.major]);
  return { dataDir: home.dataDir, folder, password };
}

/** Where a server of that cluster is spoken to. The environment's PGSSLMODE must not get between. */
export function urlOf(cluster: PostgresCluster, port: number, database: string): string {
  return `postgres://${USER}:${cluster.password}@127.0.0.1:${port}/${encodeURIComponent(database)}?sslmode=disable`;
}

/** Complete or not there at all: a start killed half-way leaves a work folder behind, never half a cluster. */
async function makeCluster(home: PostgresHome, binaries: PostgresBinaries, server: string): Promise<void> {
  const work = makeWorkFolder(home);
  const password = randomBytes(24).toString('hex');
  try {
    await initdb(home, binaries, work, password);
  } catch (cause) {
    rmSync(work, { recursive: true, force: true });
    const reason = lastLine((cause as { stderr?: string }).stderr) ?? (cause as Error).message;
    throw new DevelopmentError('POSTGRES_FAILED', [reason], { cause });
  }
  const marker: Marker = { madeBy: MADE_BY, major: binaries.major, password };
  writeFileSync(path.join(work, 'marker.json'), JSON.stringify(marker), { mode: 0o600 });
  placeUnlessThere(work, server);
}

async function initdb(home: PostgresHome, binaries: PostgresBinaries, work: string, password: string): Promise<void> {
  const { uid, gid } = home.account;
  const cluster = path.join(work, 'cluster');
  const passwordFile = path.join(work, 'password');
  mkdirSync(cluster, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (uid !== undefined && gid !== undefined) for (const entry of [cluster, passwordFile]) chownSync(entry, uid, gid);
  // A crash of the machine this early costs nothing: no need to wait for the disk.
  const options = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions', '--no-sync'];
  await runAs(home.account, program(binaries, 'initdb'), [
    ...['-D', cluster, '-U', USER, `--pwfile=${passwordFile}`],
    ...options,
  ]);
  rmSync(passwordFile);
}

function refuseClusterOfOtherUser({ dataDir, account }: PostgresHome, folder: string): void {
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
  if (owner === undefined || owner === 0) throw new DevelopmentError('FOLDER_FOREIGN', [dataDir]);
  if (owner !== (account.uid ?? process.getuid?.())) {
    throw new DevelopmentError('FOLDER_UNUSABLE', [dataDir, 'another user made it']);
  }
}

function readMarker({ dataDir }: PostgresHome, server: string): Marker {
  try {
    const marker = JSON.parse(readFileSync(path.join(server, 'marker.json'), 'utf8')) as Marker;
    if (marker.madeBy === MADE_BY) return marker;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') {
      throw new DevelopmentError('FOLDER_UNUSABLE', [dataDir, 'another user made it'], { cause: error });
    }
  }
  throw new DevelopmentError('FOLDER_FOREIGN', [dataDir]);
}
