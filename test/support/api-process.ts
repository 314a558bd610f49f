import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { freePort } from '../../apps/api/src/development/free-port.js';
import { eventually } from './eventually.js';

/** The API as a process of its own, which can be stopped, and killed. */
export interface ApiProcess {
  readonly url: string;
  /** What it wrote, standard output and error together. */
  output(): string;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** What a test that failed has left behind. */
const running = new Set<ChildProcess>();
afterAll(async () => void (await Promise.all([...running].map((child) => end(child, 'SIGKILL')))));

const ROOT = path.resolve(__dirname, '../..');

/** Starts `apps/api/src/main.ts` with exactly these variables, and waits until it accepts pushes, or only until it is `alive`. */
export async function startApiProcess(
  variables: Readonly<Record<string, string>>,
  until: 'ready' | 'alive' = 'ready',
): Promise<ApiProcess> {
  const port = await freePort();
  const { child, output } = launch({ NODE_ENV: 'production', HOST: '127.0.0.1', PORT: String(port), ...variables });
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`The API ended: ${output()}`);
    const { ok } = await fetch(`${url}/health/${until === 'ready' ? 'ready' : 'live'}`);
    if (!ok) throw new Error(`The API is not ${until}: ${output()}`);
  }, 180_000).catch(async (error: unknown) => {
    await end(child, 'SIGKILL');
    throw error;
  });
  return { url, output, stop: () => end(child, 'SIGTERM'), kill: async () => void (await end(child, 'SIGKILL')) };
}

/** Runs the API to its end: for starts that are refused. */
export function runApi(
  variables: Readonly<Record<string, string>>,
  root = ROOT,
): Promise<{ code: number | null; output: string }> {
  return runProgram('apps/api/src/main.ts', [], variables, root);
}

/** Runs one of our commands to its end. */
export async function runProgram(
  program: string,
  parameters: readonly string[],
  variables: Readonly<Record<string, string>>,
  root = ROOT,
): Promise<{ code: number | null; output: string }> {
  const { child, output } = launch(variables, program, parameters, root);
  await once(child, 'close');
  return { code: child.exitCode, output: output() };
}

function launch(
  variables: Readonly<Record<string, string>>,
  program = 'apps/api/src/main.ts',
  parameters: readonly string[] = [],
  root = ROOT,
): { child: ChildProcess; output: () => string } {
  const child = spawn(
    process.execPath,
    ['--require', path.join(root, 'test/jest/typescript.cjs'), program, ...parameters],
    { cwd: root, env: { PATH: process.env.PATH, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}
