import { createHash } from 'node:crypto';
import { type AddressInfo } from 'node:net';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { PlatformCredentialService } from '@app/wechat';
import { parseEncryptionKeys } from '@app/keyring';
import { ConsoleFiles } from '../console/console-files.js';
import { type DevelopmentGaps, type Env, localOriginOf, originOf, type Variables } from '../env.js';
import { type Palette, paletteFor, renderBanner, renderFirstTicket } from './banner.js';
import { type DataFolder, dataFolderPath, openDataFolder } from './data-folder.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { freePort } from './free-port.js';
import { type SandboxProcess, startSandboxProcess } from './sandbox-process.js';

/** One of the sandbox's accounts, for the sample command. */
const SAMPLE_APP_ID = 'wx3f1c7a9e52d80b64';
const TICKET_LOOK_MS = 100;

/** Fills what is not configured on a developer's machine: a database, keys and a WeChat. Ends all of it again. */
export class Development {
  private sandbox: SandboxProcess | null = null;
  private ticketWatch: NodeJS.Timeout | null = null;

  private constructor(
    private readonly variables: Variables,
    private readonly folder: DataFolder,
    private readonly postgres: EmbeddedPostgres | null,
    private readonly sandboxPort: number | null,
    private readonly palette: Palette,
  ) {}

  /** @throws DevelopmentError with one sentence for the user */
  static async start(variables: Variables, noColor: string | undefined): Promise<Development> {
    const folder = openDataFolder(dataFolderPath());
    const sandboxPort = variables.WECHAT_API_BASE_URL ? null : variables.SANDBOX_PORT || (await freePort());
    const postgres = variables.DATABASE_URL
      ? null
      : await startEmbeddedPostgres({ dataDir: folder.postgres, production: variables.NODE_ENV === 'production' });
    return new Development(variables, folder, postgres, sandboxPort, paletteFor(process.stdout, noColor));
  }

  /** What `completeEnv` lacks. */
  get gaps(): DevelopmentGaps {
    const sha256 = createHash('sha256').update(this.folder.operatorKey).digest('hex');
    return {
      ...(this.postgres && { databaseUrl: this.postgres.url }),
      ...(this.sandboxPort && { apiBaseUrl: `http://127.0.0.1:${this.sandboxPort}` }),
      apiKeys: [{ name: 'development', role: 'operator', sha256 }],
      encryptionKeys: parseEncryptionKeys(this.folder.encryptionKeys),
    };
  }

  /** Starts the sandbox, now that its pushes are listened for, and shows where everything is. */
  async welcome(app: NestFastifyApplication, env: Env): Promise<void> {
    const { port } = app.getHttpServer().address() as AddressInfo;
    const apiUrl = originOf(env.host, port);
    if (this.sandboxPort) this.sandbox = await this.startSandbox(env, this.sandboxPort, port);
    const facts = {
      apiUrl,
      database: this.postgres ? 'embedded PostgreSQL, kept in .data/' : 'PostgreSQL at DATABASE_URL',
      ...(app.get(ConsoleFiles, { strict: false }).isBuilt && { consoleUrl: `${apiUrl}/console` }),
      ...(this.sandbox && { sandbox: { url: this.sandbox.url, sampleAppId: SAMPLE_APP_ID } }),
      ...(!this.variables.ADMIN_API_KEYS && { operatorKey: this.folder.operatorKey }),
    };
    process.stdout.write(renderBanner(facts, this.palette));
    this.watchForTicket(app.get(PlatformCredentialService));
  }

  async stop(): Promise<void> {
    if (this.ticketWatch) clearInterval(this.ticketWatch);
    await this.sandbox?.stop();
    await this.postgres?.stop();
  }

  private startSandbox({ platform, host }: Env, port: number, apiPort: number): Promise<SandboxProcess> {
    const { appId, appSecret } = platform;
    const [token, encodingAesKey] = [platform.tokens[0]!, platform.encodingAesKeys[0]!];
    return startSandboxProcess({
      port,
      pushUrl: `${localOriginOf(host, apiPort)}/social/with/wechat/receiveEvent`,
      credentials: { appId, appSecret, token, encodingAesKey },
    });
  }

  private watchForTicket(credential: PlatformCredentialService): void {
    const since = new Date();
    this.ticketWatch = setInterval(() => {
      credential.ticketReceivedAt().then(
        (receivedAt) => {
          if (!this.ticketWatch || !receivedAt || receivedAt < since) return;
          clearInterval(this.ticketWatch);
          this.ticketWatch = null;
          process.stdout.write(renderFirstTicket(receivedAt, this.palette));
        },
        () => undefined, // The database is away; whoever needs it says so.
      );
    }, TICKET_LOOK_MS);
  }
}
