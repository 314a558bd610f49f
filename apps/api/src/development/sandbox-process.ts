import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { DevelopmentError } from './development.errors.js';

/** What the platform and its stand-in for WeChat must agree on. */
export interface SandboxCredentials {
  readonly appId: string;
  readonly appSecret: string;
  readonly token: string;
  readonly encodingAesKey: string;
}

export interface SandboxProcessOptions {
  readonly port: number;
  /** Where it sends its pushes: our callback. */
  readonly pushUrl: string;
  readonly credentials: SandboxCredentials;
  /** How often it sends a ticket. Default: as WeChat does, every 600 s. */
  readonly ticketSeconds?: number;
  /** The compiled program. Default: the one built next to us. */
  readonly program?: string;
}

export interface SandboxProcess {
  readonly url: string;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const START_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 5_000;
/** Without its extension: Node finds the compiled file, and the source where it was told how to run that. */
const PROGRAM = path.resolve(__dirname, '../../../sandbox/src/main');

/**
 * Starts the stand-in for WeChat in a process of its own, which ends with ours, however ours ends.
 *
 * @throws DevelopmentError with one sentence to show, such as that the port is taken
 */
export async function startSandboxProcess(options: SandboxProcessOptions): Promise<SandboxProcess> {
  if (await isTaken(options.port)) throw new DevelopmentError('SANDBOX_PORT_TAKEN', [String(options.port)]);
  // Its own session: Ctrl-C is for us, and we stop the sandbox after the last call to it.
  const child = spawn(process.execPath, [...process.execArgv, options.program ?? PROGRAM, '--child'], {
    env: environment(options),
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
  });
  child.stdin?.on('error', () => undefined);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await ready(child);
  return { url, stop: () => stop(child, exited) };
}

function environment({
  port,
  pushUrl,
  credentials,
  ticketSeconds = 600,
}: SandboxProcessOptions): Record<string, string> {
  return {
    SANDBOX_HOST: HOST,
    SANDBOX_PORT: String(port),
    SANDBOX_PUSH_URL: pushUrl,
    SANDBOX_TICKET_SECONDS: String(ticketSeconds),
    WECHAT_COMPONENT_APP_ID: credentials.appId,
    WECHAT_COMPONENT_APP_SECRET: credentials.appSecret,
    WECHAT_TOKEN: credentials.token,
    WECHAT_ENCODING_AES_KEY: credentials.encodingAesKey,
  };
}

async function ready(child: ChildProcess): Promise<string> {
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4_000)));
  const giveUp = setTimeout(() => child.kill('SIGKILL'), START_WITHIN_MS);
  return new Promise<string>((resolve, reject) => {
    const fail = (reason: string) => reject(new DevelopmentError('SANDBOX_FAILED', [reason]));
    child.once('error', (error) => fail(error.message));
    child.once('close', () => fail(firstSentence(errors)));
    child.on('message', (message) => {
      const { ready, url } = message as { ready?: boolean; url?: string };
      if (ready && url) resolve(url);
    });
  }).finally(() => clearTimeout(giveUp));
}

/** The first line that is not part of a stack or of quoted source. */
function firstSentence(errors: string): string {
  const lines = errors.split('\n').map((line) => line.trim());
  return (
    lines.find((line) => /^\w*Error: /.test(line)) ?? lines.find((line) => line !== '') ?? 'it ended without a word'
  );
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.stdin?.end();
  const insist = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(insist);
}

/** Asked before, so that the sentence can be ours. */
async function isTaken(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    probe.listen(port, HOST, () => probe.close(() => resolve(false)));
  });
}
