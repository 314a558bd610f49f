import { type ChildProcess, spawn } from 'node:child_process';
import { type Account, CLEAN_ENVIRONMENT } from './postgres-account.js';
import { lastLine } from './postgres-binaries.js';

const START_WITHIN_MS = 60_000;
const LOG_CHARACTERS = 8_000;

/**
 * The parent of the server, a shell: it reads a pipe whose other end only we hold, so that our death, even by kill -9,
 * ends the read, and then it asks the server for a fast shutdown. The first argument is a folder to remove after that.
 */
const KEEPER = `
trap '' HUP INT TERM
discard=$1
shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -INT "$server"; } 2>/dev/null &
watcher=$!
wait "$server"
status=$?
kill -9 "$watcher" 2>/dev/null
if [ "$status" -eq 0 ] && [ -n "$discard" ]; then rm -rf "$discard"; fi
exit "$status"
`;

export interface KeptCommand {
  readonly account: Account;
  readonly command: readonly string[];
  /** A folder that goes when the server goes. */
  readonly discard?: string;
}

/** A server that came up never, and what it said. */
export class ServerExitedError extends Error {
  constructor(readonly log: string) {
    super(reasonIn(log));
  }
}

/** A PostgreSQL server that cannot outlive this process by accident. */
export class PostgresKeeper {
  private constructor(
    private readonly keeper: ChildProcess,
    private readonly exited: Promise<void>,
  ) {}

  /** Settles when the server accepts connections. */
  static async launch({ account, command, discard = '' }: KeptCommand): Promise<PostgresKeeper> {
    // Its own session: Ctrl-C is for us, and we stop the server when everything else has stopped.
    const child = spawn('/bin/sh', ['-c', KEEPER, 'keeper', discard, ...command], {
      ...account,
      cwd: '/',
      env: CLEAN_ENVIRONMENT,
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await ready(child);
    return new PostgresKeeper(child, exited);
  }

  /** Fast shutdown: open transactions are rolled back, then the server goes. */
  async stop(): Promise<void> {
    this.keeper.stdin?.end();
    await this.exited;
  }
}

async function ready(child: ChildProcess): Promise<void> {
  let log = '';
  const giveUp = setTimeout(() => child.stdin?.end(), START_WITHIN_MS);
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-LOG_CHARACTERS);
      if (log.includes('ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('close', () => reject(new ServerExitedError(log)));
  }).finally(() => clearTimeout(giveUp));
}

function reasonIn(log: string): string {
  const fatal = log.split('\n').find((line) => line.includes('FATAL'));
  return fatal?.replace(/^.*FATAL:\s*/, '') ?? lastLine(log) ?? 'it ended without a word';
}
