import { startEmbeddedPostgres } from '../../apps/api/src/development/embedded-postgres.js';

/** The process that `postgresProcess` starts: says the URL or what went wrong, and stops when the pipe is closed. */
async function main([dataDir = '', durable]: string[]): Promise<void> {
  const server = await startEmbeddedPostgres({ dataDir, durable: durable !== 'false', production: false });
  process.once('disconnect', () => void server.stop());
  process.send?.({ url: server.url });
}

main(process.argv.slice(2)).catch((error: Error) => process.send?.({ sentence: error.message }, () => process.exit(1)));
