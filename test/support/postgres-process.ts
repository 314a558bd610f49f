import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

export interface PostgresProcess {
  readonly url: string;
  /** Ends it as Ctrl-C would. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** Starts the embedded PostgreSQL in a process of its own, which can be killed. Rejects with the sentence it says. */
export async function postgresProcess(
  dataDir: string,
  options: { durable?: boolean; uid?: number } = {},
): Promise<PostgresProcess> {
  const { durable = true, uid } = options;
  const child = fork(path.join(__dirname, 'embedded-postgres.main.ts'), [dataDir, String(durable)], {
    execArgv: ['--require', path.join(__dirname, '../jest/typescript.cjs')],
    ...(uid === undefined
      ? {}
      : {
          uid,
          gid: uid,
          cwd: '/',
          env: { PATH: process.env.PATH, HOME: '/nonexistent', TMPDIR: path.dirname(dataDir) },
        }),
  });
  const url = await firstWord(child);
  const end = (how: () => unknown) => async () => {
    const exited = child.exitCode ?? child.signalCode ?? once(child, 'exit');
    how();
    await exited;
  };
  return { url, stop: end(() => child.connected && child.disconnect()), kill: end(() => child.kill('SIGKILL')) };
}

async function firstWord(child: ChildProcess): Promise<string> {
  const said = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  const { url, sentence } = (said[0] ?? {}) as { url?: string; sentence?: string };
  if (url) return url;
  throw new Error(sentence ?? `The process ended: ${said.join(' ')}`);
}
