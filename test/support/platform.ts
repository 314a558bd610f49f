import { createHash, randomBytes } from 'node:crypto';
import { type AddressInfo } from 'node:net';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import pino from 'pino';
import { type DynamicModule, type Provider } from '@nestjs/common';
import { createApp } from '../../apps/api/src/create-app.js';
import { migrate } from '../../apps/api/src/database.js';
import { completeEnv, type Env, readVariables } from '../../apps/api/src/env.js';
import { createSandbox, type Sandbox } from '../../apps/sandbox/src/create-sandbox.js';
import { Client } from 'pg';
import { createDatabase, type TestDatabase } from './database.js';
import { eventually } from './eventually.js';

export const KEYS = { viewer: 'viewer-key', operator: 'operator-key', service: 'service-key' } as const;

export interface PlatformOptions {
  /** Variables beside the ones every test platform has. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Subscribers and services of the test itself. */
  readonly providers?: readonly Provider[];
  /** False starts without a first ticket. */
  readonly ticket?: boolean;
  /** The application reaches the database by this address instead of directly. */
  readonly through?: (databaseUrl: string) => string;
  /** Where the console was built. */
  readonly consoleFolder?: string | undefined;
}

/** An HTTP answer, read. */
export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
  readonly text: string;
}

/** The whole system on ports of its own: WeChat's stand-in, PostgreSQL, and the application as it runs. */
export class TestPlatform {
  private constructor(
    /** The environment of the application. */
    public variables: Readonly<Record<string, string>>,
    readonly sandbox: Sandbox,
    readonly database: TestDatabase,
    private readonly providers: readonly Provider[],
    private readonly consoleFolder: string | undefined,
    readonly logs: string[],
  ) {}

  app: NestFastifyApplication;
  url: string;

  get env(): Env {
    return { ...completeEnv(readVariables(this.variables), {}), pagesStandIn: this.sandbox.url };
  }

  /** Variables for the next `startApp`, beside those there are. */
  useVariables(variables: Readonly<Record<string, string>>): void {
    this.variables = { ...this.variables, ...variables };
  }

  static async start({
    variables = {},
    providers = [],
    ticket = true,
    through = String,
    consoleFolder,
  }: PlatformOptions = {}): Promise<TestPlatform> {
    const [database, sandbox] = await Promise.all([createDatabase(), createSandbox({ ticketEverySeconds: 0 })]);
    await migrate(database.url);
    const all = { ...baseVariables(through(database.url), sandbox.url), ...variables };
    const platform = new TestPlatform(all, sandbox, database, providers, consoleFolder, []);
    await platform.startApp();
    if (ticket) await platform.receiveTicket();
    return platform;
  }

  /** Starts the application; called again after `stopApp` it is the next process on the same database. */
  async startApp(): Promise<void> {
    const sink = {
      write: (line: string) => void (process.env.TEST_LOGS ? process.stderr.write(line) : this.logs.push(line)),
    };
    const logger = pino({ level: 'debug' }, sink);
    this.app = await createApp(this.env, logger, extraModule(this.providers), this.consoleFolder);
    await this.app.listen(this.env.port, '127.0.0.1');
    this.url = `http://127.0.0.1:${(this.app.getHttpServer().address() as AddressInfo).port}`;
    this.sandbox.world.pushes.url = `${this.url}/social/with/wechat/receiveEvent`;
  }

  /** A push is answered before it is handled: without the ticket at hand, what asks WeChat at once would find none. */
  private async receiveTicket(): Promise<void> {
    const [push] = await this.sandbox.world.pushTicket();
    if (!push?.accepted) throw new Error(`The first ticket was not accepted: ${JSON.stringify(push)}`);
    await eventually(async () => {
      const kept = await this.query('select from platform_credential where ticket is not null');
      if (kept.length === 0) throw new Error('The first ticket was pushed, but not kept');
    });
  }

  /** Waits until every delivery there is has ended, done or dead. */
  async everythingDelivered(): Promise<void> {
    await eventually(async () => {
      const open = await this.query(`select subscriber, last_error from delivery where state not in ('done', 'dead')`);
      if (open.length > 0) throw new Error(`Not delivered yet: ${JSON.stringify(open)}`);
    });
  }

  async stopApp(): Promise<void> {
    await this.app.close();
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.sandbox.close();
    await this.database.drop();
  }

  async request<T = unknown>(
    method: string,
    path: string,
    init: { key?: string | null; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer<T>> {
    const { key = KEYS.operator, body, headers = {} } = init;
    const response = await fetch(new URL(path, this.url), {
      method,
      redirect: 'manual',
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : undefined) as T,
    };
  }

  get<T = unknown>(path: string, key: string | null = KEYS.viewer): Promise<Answer<T>> {
    return this.request<T>('GET', path, { key });
  }

  post<T = unknown>(path: string, body?: unknown, key: string | null = KEYS.operator): Promise<Answer<T>> {
    return this.request<T>('POST', path, { key, body });
  }

  /** Asks the database directly: for what no route shows. */
  async query<T = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<T[]> {
    const client = new Client({ connectionString: this.database.url });
    await client.connect();
    try {
      return (await client.query(text, values)).rows as T[];
    } finally {
      await client.end();
    }
  }
}

export function baseVariables(databaseUrl: string, apiBaseUrl: string): Record<string, string> {
  const key = (name: keyof typeof KEYS) => `${name}:${name}:${createHash('sha256').update(KEYS[name]).digest('hex')}`;
  return {
    NODE_ENV: 'test',
    PORT: '0',
    DATABASE_URL: databaseUrl,
    WECHAT_API_BASE_URL: apiBaseUrl,
    ADMIN_API_KEYS: [key('viewer'), key('operator'), key('service')].join(','),
    ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
  };
}

function extraModule(providers: readonly Provider[]): DynamicModule[] {
  return providers.length === 0 ? [] : [{ module: TestModule, providers: [...providers] }];
}

class TestModule {}
