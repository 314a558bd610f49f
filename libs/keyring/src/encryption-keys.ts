import { type EncryptionKey } from './keyring.js';

const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;

/**
 * Reads `ENCRYPTION_KEYS`: comma-separated `id:base64 of 32 bytes`.
 *
 * @throws Error naming the entry that is wrong by its place, never by its content.
 */
export function parseEncryptionKeys(text: string): EncryptionKey[] {
  const keys = text.split(',').map((entry, index) => parseKey(entry.trim(), `entry ${index + 1}`));
  const ids = new Set(keys.map(({ id }) => id));
  if (ids.size !== keys.length) throw new Error('two entries have the same id');
  return keys;
}

function parseKey(entry: string, place: string): EncryptionKey {
  const colon = entry.indexOf(':');
  const id = entry.slice(0, Math.max(colon, 0));
  if (!KEY_ID.test(id)) throw new Error(`${place} is not id:key with an id of letters, digits, _ and -`);
  const key = Buffer.from(entry.slice(colon + 1), 'base64');
  if (key.length !== 32) throw new Error(`${place} has a key of ${key.length} bytes instead of 32 in base64`);
  return { id, key };
}
