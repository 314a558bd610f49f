import { freePort } from '../../apps/api/src/development/free-port.js';

/** Variables for a platform whose public address is known before it listens, as merchants' links need it. */
export async function publicAddress(): Promise<Record<'PORT' | 'PUBLIC_BASE_URL', string>> {
  const port = await freePort();
  return { PORT: String(port), PUBLIC_BASE_URL: `http://127.0.0.1:${port}` };
}
