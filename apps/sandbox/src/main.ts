import { createSandbox, type Sandbox } from './create-sandbox.js';
import { SANDBOX_CREDENTIALS, type SandboxOptions } from './options.js';

const DEFAULT_PORT = 3001;
const DEFAULT_PUSH_URL = 'http://127.0.0.1:3000/social/with/wechat/receiveEvent';

/** A whole number out of the environment. @throws Error naming the variable. */
function wholeNumber(name: string, fallback: number, highest: number): number {
  const value = process.env[name];
  if (value === undefined || value === '') return fallback;
  if (!/^\d{1,9}$/.test(value) || Number(value) > highest) {
    throw new Error(`${name} must be a whole number from 0 to ${highest}.`);
  }
  return Number(value);
}

function optionsFromEnvironment(): SandboxOptions {
  const { env } = process;
  return {
    host: env.SANDBOX_HOST || '127.0.0.1',
    port: wholeNumber('SANDBOX_PORT', DEFAULT_PORT, 65_535),
    pushUrl: env.SANDBOX_PUSH_URL || DEFAULT_PUSH_URL,
    ticketEverySeconds: wholeNumber('SANDBOX_TICKET_SECONDS', 600, 86_400),
    componentAppId: env.WECHAT_COMPONENT_APP_ID || SANDBOX_CREDENTIALS.componentAppId,
    componentAppSecret: env.WECHAT_COMPONENT_APP_SECRET || SANDBOX_CREDENTIALS.componentAppSecret,
    token: env.WECHAT_TOKEN || SANDBOX_CREDENTIALS.token,
    encodingAesKey: env.WECHAT_ENCODING_AES_KEY || SANDBOX_CREDENTIALS.encodingAesKey,
  };
}

function stopWhenAsked(sandbox: Sandbox): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void sandbox.close().finally(() => process.exit(0));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  if (!process.argv.includes('--child')) return;
  // A parent that dies, however it dies, closes our stdin.
  process.stdin.once('end', stop).once('close', stop).resume();
  process.once('disconnect', stop);
}

function explain(error: unknown, port: number | undefined): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' ? `Port ${port} is in use: stop what listens there or set SANDBOX_PORT.` : message;
}

async function main(): Promise<void> {
  let options: SandboxOptions = {};
  try {
    options = optionsFromEnvironment();
    const sandbox = await createSandbox(options);
    stopWhenAsked(sandbox);
    console.log(`WeChat sandbox: ${sandbox.url}`);
    process.send?.({ ready: true, url: sandbox.url });
  } catch (error) {
    console.error(`The WeChat sandbox cannot start. ${explain(error, options.port)}`);
    process.exit(1);
  }
}

void main();
