import { type Env } from './env.js';
import { StartError } from './start.errors.js';

/** @throws StartError where that cannot be listened at */
export async function listenAt({ host, port }: Env, listen: () => Promise<unknown>): Promise<void> {
  try {
    await listen();
  } catch (cause) {
    const { code = '' } = cause as { code?: string };
    if (code === 'EADDRINUSE') throw new StartError('PORT_TAKEN', [String(port)], { cause });
    if (code === 'EACCES') throw new StartError('PORT_FORBIDDEN', [String(port)], { cause });
    if (/^(EADDRNOTAVAIL|ENOTFOUND|EAI_AGAIN|EINVAL)$/.test(code))
      throw new StartError('HOST_ELSEWHERE', [host], { cause });
    throw cause;
  }
}
