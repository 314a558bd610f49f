import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Client } from 'pg';

const RECONNECT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** Nothing is sent on it for hours: a path that was lost without a word is noticed by asking, and the system would do so after two. */
const ASK_WHETHER_IT_IS_THERE_MS = 30_000;
const STOP_TIMEOUT_MS = 1_000;

/** Hears PostgreSQL's notifications on one channel over a connection of its own, and comes back when that breaks. */
export class WakeUpListener {
  private readonly logger = new Logger(WakeUpListener.name);
  private client: Client | null = null;
  private reconnect: NodeJS.Timeout | null = null;
  private stopped = false;

  /**
   * @param onWake gets each payload; and null whenever the connection is (again) there, since news may have been missed
   * @param onLost hears that from now on news is missed
   */
  constructor(
    private readonly connectionString: string,
    private readonly channel: string,
    private readonly onWake: (payload: string | null) => void,
    private readonly onLost: () => void = () => undefined,
  ) {}

  async start(): Promise<void> {
    const client = new Client({
      connectionString: this.connectionString,
      keepAlive: true,
      keepAliveInitialDelayMillis: ASK_WHETHER_IT_IS_THERE_MS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: CONNECT_TIMEOUT_MS,
      application_name: 'wechat-listen',
    });
    client.on('notification', ({ payload }) => this.onWake(payload ?? null));
    client.on('error', (error) => this.lost(client, error));
    client.on('end', () => this.lost(client));
    this.client = client;
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(this.channel)}`);
      this.onWake(null);
    } catch (error) {
      this.lost(client, error as Error);
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.reconnect) clearTimeout(this.reconnect);
    const client = this.client;
    this.client = null;
    // A connection that is gone without a word never answers its end.
    await Promise.race([client?.end(), sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  }

  private lost(client: Client, error?: Error): void {
    if (this.stopped || this.client !== client) return;
    this.client = null;
    this.onLost();
    this.logger.warn(
      `The connection for notifications is lost; polling until it is back${error ? `: ${error.message}` : ''}`,
    );
    client.end().catch((cause: unknown) => this.logger.debug(`Closing it failed too: ${String(cause)}`));
    this.reconnect = setTimeout(() => void this.start(), RECONNECT_MS);
  }
}
