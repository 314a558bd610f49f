import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import type * as Embedded from '../../apps/api/src/development/embedded-postgres.js';

declare global {
  var embeddedPostgres: Embedded.EmbeddedPostgres | undefined;
}

/** One PostgreSQL server for all tests: the one named by TEST_DATABASE_URL, or one of our own that leaves no trace. */
export default async function globalSetup(): Promise<void> {
  if (process.env.TEST_DATABASE_URL) return;
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'wechat-tests-'));
  const server = await embedded().startEmbeddedPostgres({ dataDir, durable: false, production: false });
  globalThis.embeddedPostgres = server;
  process.env.TEST_DATABASE_URL = server.url;
}

/** Jest applies no moduleNameMapper to this file, so the endings of our imports need another way to be understood. */
function embedded(): typeof Embedded {
  const load = createRequire(__filename);
  load('./typescript.cjs');
  return load('../../apps/api/src/development/embedded-postgres.ts') as typeof Embedded;
}
