import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DevelopmentError } from './development.errors.js';
import { type PostgresCluster } from './postgres-cluster.js';
import { hasOwner } from './postgres-owner.js';

/** A start connects as the owner within milliseconds of its server being ready. */
const OWNER_WITHIN_MS = 1_000;
const FAST_SHUTDOWN_MS = 10_000;
const POLL_MS = 50;

interface RunningServer {
  readonly pid: number;
  readonly port: number;
  readonly status: string;
}

/**
 * Makes way for a new server: waits for one that is going down, stops one whose start and keeper were both killed,
 * and removes a pid file that names some other process by now.
 *
 * @throws DevelopmentError when the server belongs to a start that is alive
 */
export async function clearLeftBehind(cluster: PostgresCluster): Promise<void> {
  let ownerless = 0;
  for (let server = findServer(cluster); server; server = findServer(cluster)) {
    const owned = server.status === 'ready' ? await hasOwner(cluster, server.port) : undefined;
    if (owned) throw new DevelopmentError('ALREADY_RUNNING', [cluster.dataDir]);
    if (server.status === 'ready') ownerless += POLL_MS;
    if (ownerless > OWNER_WITHIN_MS) return stopLeftBehind(cluster);
    await sleep(POLL_MS);
  }
}

/** Stops the server of that cluster, if one is running, and settles when its process is gone. */
export async function stopLeftBehind(cluster: PostgresCluster): Promise<void> {
  const server = findServer(cluster);
  if (!server) return;
  kill(server.pid, 'SIGINT');
  for (const insistAt = Date.now() + FAST_SHUTDOWN_MS; isServerOf(cluster, server.pid); await sleep(POLL_MS)) {
    if (Date.now() > insistAt) kill(server.pid, 'SIGQUIT');
  }
}

function findServer(cluster: PostgresCluster): RunningServer | undefined {
  const pidFile = path.join(cluster.folder, 'postmaster.pid');
  const server = readPidFile(pidFile);
  if (!server || !kill(server.pid, 0)) return undefined; // PostgreSQL copes with the pid file of a dead server itself.
  if (isServerOf(cluster, server.pid)) return server;
  rmSync(pidFile, { force: true });
  return undefined;
}

function readPidFile(pidFile: string): RunningServer | undefined {
  try {
    const lines = readFileSync(pidFile, 'utf8').split('\n');
    const [pid, port] = [Number(lines[0]), Number(lines[3])];
    return pid > 0 ? { pid, port, status: lines[7]?.trim() ?? '' } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether there was a process to signal. */
function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isServerOf(cluster: PostgresCluster, pid: number): boolean {
  return commandLine(pid).includes(`/postgres -D ${cluster.folder} `);
}

/** Not /proc/<pid>/cwd: in a container even root may not look there. */
function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('/bin/ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
