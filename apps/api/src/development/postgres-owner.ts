import { Client } from 'pg';
import { type PostgresCluster, urlOf } from './postgres-cluster.js';

/** Under this name the start that a server belongs to stays connected for as long as it lives. */
const OWNER = 'owner of the embedded PostgreSQL';

/** The connection of the start that a server belongs to. The kernel closes it even when that start is killed. */
export class PostgresOwner {
  private constructor(private readonly client: Client) {}

  static async connect(cluster: PostgresCluster, port: number): Promise<PostgresOwner> {
    return new PostgresOwner(await connect(cluster, port, OWNER));
  }

  async ensureDatabase(name: string): Promise<void> {
    const { rowCount } = await this.client.query('select from pg_database where datname = $1', [name]);
    if (!rowCount) await this.client.query(`create database ${this.client.escapeIdentifier(name)}`);
  }

  async release(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** Whether the start that a server belongs to is alive; `undefined` while the server does not say. */
export async function hasOwner(cluster: PostgresCluster, port: number): Promise<boolean | undefined> {
  try {
    const client = await connect(cluster, port, 'visitor');
    const { rowCount } = await client.query('select from pg_stat_activity where application_name = $1', [OWNER]);
    await client.end();
    return Boolean(rowCount);
  } catch {
    return undefined;
  }
}

async function connect(cluster: PostgresCluster, port: number, name: string): Promise<Client> {
  const client = new Client({
    connectionString: urlOf(cluster, port, 'postgres'),
    application_name: name,
    connectionTimeoutMillis: 5_000,
  });
  // The server going away ends the connection with an error; those who work with the server will tell.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
