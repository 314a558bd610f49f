import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { DevelopmentError } from './development.errors.js';

const run = promisify(execFile);

/** Who PostgreSQL runs as. Without ids: whoever we are. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** What PostgreSQL and its tools get to see of us: no variable of ours may reach them. */
export const CLEAN_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** PostgreSQL refuses to run as root: root steps down to whoever owns the cluster, or to a system account. */
export function accountFor(cluster: string): Account {
  if (process.getuid?.() !== 0) return {};
  const owner = statSync(cluster, { throwIfNoEntry: false });
  return owner ? { uid: owner.uid, gid: owner.gid } : systemAccount();
}

function systemAccount(): Account {
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', '_postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (Number(uid) > 0 && Number(gid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new DevelopmentError('NO_ACCOUNT', []);
}

/** Runs a program as that account. */
export async function runAs(account: Account, program: string, args: readonly string[]): Promise<void> {
  await run(program, args, { ...account, cwd: '/', env: CLEAN_ENVIRONMENT });
}

/** Whether that account gets into a folder, which its parents may forbid. */
export async function canEnter(account: Account, folder: string): Promise<boolean> {
  return runAs(account, '/bin/sh', ['-c', 'cd "$1"', 'sh', folder]).then(
    () => true,
    () => false,
  );
}
