import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '../apps/api/src/development/embedded-postgres.js';

/** A benchmark answers the lines to print; it brings its own baselines, measured in the same run. */
type Bench = () => Promise<string[]>;

/** Runs every `*.bench.ts` beside this file, or those named, one after another, on a PostgreSQL of their own. */
async function main(names: readonly string[]): Promise<void> {
  const all = readdirSync(__dirname).filter((file) => file.endsWith('.bench.ts'));
  const chosen = names.length === 0 ? all : all.filter((file) => names.includes(file.replace('.bench.ts', '')));
  const stop = await provideDatabase();
  try {
    for (const file of chosen.sort()) {
      const { default: bench } = createRequire(__filename)(`./${file}`) as { default: Bench };
      console.log(`\n${file.replace('.bench.ts', '')}`);
      for (const line of await bench()) console.log(`  ${line}`);
    }
  } finally {
    await stop();
  }
}

/** The server of TEST_DATABASE_URL, or one that leaves no trace. */
async function provideDatabase(): Promise<() => Promise<void>> {
  if (process.env.TEST_DATABASE_URL) return () => Promise.resolve();
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'wechat-bench-'));
  const server = await startEmbeddedPostgres({ dataDir, durable: true, production: false });
  process.env.TEST_DATABASE_URL = server.url;
  return async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
