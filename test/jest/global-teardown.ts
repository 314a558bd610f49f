import type {} from './global-setup.js';

/** Stops the server that the set-up started, if it did. */
export default async function globalTeardown(): Promise<void> {
  if (!globalThis.embeddedPostgres) return;
  await globalThis.embeddedPostgres.stop();
  globalThis.embeddedPostgres = undefined;
  delete process.env.TEST_DATABASE_URL;
}
