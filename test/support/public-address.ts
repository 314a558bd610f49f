import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Variables for a platform whose public address is known before it listens, as merchants' links need it. */
export async function publicAddress(): Promise<Record<'PORT' | 'PUBLIC_BASE_URL', string>> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { PORT: String(port), PUBLIC_BASE_URL: `http://127.0.0.1:${port}` };
}
