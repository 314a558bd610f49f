import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { DevelopmentError } from './development.errors.js';
import { type Account, accountFor, canEnter, runAs } from './postgres-account.js';

/** What we ever put into a data folder; anything else in there is not ours to touch. */
const OURS = /^(server|elsewhere|new-\w+|binaries-[\w.-]+)$/;
/** Writable by root alone, or sticky: nobody else can put something of theirs in the place of ours. */
const PLACES_ANYBODY_CAN_ENTER = ['/var/lib', '/var/tmp'];
const TRAVERSABLE = 0o711;
const ABANDONED_AFTER_MS = 10 * 60_000;

/** The folder everything of one embedded PostgreSQL lies in, and the account that runs it. */
export interface PostgresHome {
  /** As the caller named it. */
  readonly dataDir: string;
  /** The same, unless a parent of `dataDir` is closed to the account. */
  readonly folder: string;
  readonly account: Account;
  readonly hasCluster: boolean;
}

/**
 * Opens a data folder, or makes it.
 *
 * @throws DevelopmentError where it is not ours, or not usable by this user
 */
export async function openHome(dataDir: string): Promise<PostgresHome> {
  claim(dataDir);
  const folder = realpathSync(existsSync(path.join(dataDir, 'elsewhere')) ? path.join(dataDir, 'elsewhere') : dataDir);
  const hasCluster = existsSync(path.join(folder, 'server'));
  const account = accountFor(path.join(folder, 'server', 'cluster'));
  if (await canEnter(account, folder)) {
    sweep(folder);
    return { dataDir, folder, account, hasCluster };
  }
  if (hasCluster) throw unusable(dataDir, 'its parents are closed to the user it belongs to');
  return { dataDir, folder: moveElsewhere(dataDir), account, hasCluster };
}

function claim(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    if (readdirSync(dataDir).some((name) => !OURS.test(name))) throw new DevelopmentError('FOLDER_FOREIGN', [dataDir]);
    chmodSync(dataDir, TRAVERSABLE);
  } catch (error) {
    if (error instanceof DevelopmentError) throw error;
    throw unusable(dataDir, (error as NodeJS.ErrnoException).code ?? 'unreadable', error);
  }
}

function unusable(dataDir: string, reason: string, cause?: unknown): DevelopmentError {
  return new DevelopmentError('FOLDER_UNUSABLE', [dataDir, reason], { cause });
}

/** A checkout under /root: PostgreSQL, not being root, gets a folder outside, and `elsewhere` points to it. */
function moveElsewhere(dataDir: string): string {
  const folder = makeFolderAnybodyCanEnter(dataDir);
  const link = path.join(dataDir, 'elsewhere');
  rmSync(link, { force: true });
  symlinkSync(folder, link);
  return folder;
}

function makeFolderAnybodyCanEnter(dataDir: string): string {
  for (const place of PLACES_ANYBODY_CAN_ENTER) {
    try {
      const folder = realpathSync(mkdtempSync(path.join(place, 'embedded-postgres-')));
      chmodSync(folder, TRAVERSABLE);
      return folder;
    } catch {
      // Not on this system, or read-only: the next one.
    }
  }
  throw unusable(dataDir, 'its parents are closed to other users');
}

/** Half-finished work of a start that was killed. A start under way is younger. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith('new-'))) {
    const age = Date.now() - lstatSync(path.join(folder, name)).mtimeMs;
    if (age > ABANDONED_AFTER_MS) rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

/** A folder to work in, in the same file system, so that the result can be renamed into place as a whole. */
export function makeWorkFolder({ folder }: PostgresHome): string {
  const work = mkdtempSync(path.join(folder, 'new-'));
  chmodSync(work, TRAVERSABLE);
  return work;
}

/** Hands a throw-away home over to the account, so that its keeper can remove it even when we are dead. */
export function handOver({ folder, account: { uid, gid } }: PostgresHome): void {
  if (uid === undefined || gid === undefined) return;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    lchownSync(path.join(folder, name), uid, gid);
  chownSync(folder, uid, gid);
}

/** Removes a throw-away home. As the account: root does not walk through folders that another user may rearrange. */
export async function discard({ dataDir, folder, account }: PostgresHome): Promise<void> {
  await runAs(account, '/bin/rm', ['-rf', folder]).catch(() => undefined);
  if (statSync(folder, { throwIfNoEntry: false })) rmdirSync(folder);
  if (folder !== dataDir) rmSync(dataDir, { recursive: true, force: true });
}
