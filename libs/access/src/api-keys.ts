import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isRole, ROLES, type Role } from './roles.js';

/** One entry of `ADMIN_API_KEYS`. Two of one name may overlap while a key is being replaced. */
export interface ApiKey {
  readonly name: string;
  readonly role: Role;
  /** Lower-case hex of the SHA-256 of the key. */
  readonly sha256: string;
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,63}$/u;
const NAME_RULE = 'must be at most 64 letters, digits and . _ @ + -, and start with a letter or digit';
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Reads `ADMIN_API_KEYS`: comma-separated `name:role:sha256`.
 *
 * @throws Error naming every entry that is wrong by its place, never by its content.
 */
export function parseApiKeys(text: string): ApiKey[] {
  if (text.trim() === '') return [];
  const entries = text.split(',').map((entry) => entry.trim().split(':'));
  const digests = entries.map((parts) => parts[2]);
  const problems = entries.flatMap((parts, index) => {
    const isRepeated = digests.indexOf(digests[index]) < index;
    const problem = problemOf(parts) ?? (isRepeated ? 'has the same sha256 as an entry before it' : null);
    return problem ? [`entry ${index + 1} ${problem}`] : [];
  });
  if (problems.length > 0) throw new Error(problems.join('; '));
  return entries.map(([name, role, sha256]) => ({ name, role, sha256 }) as ApiKey);
}

function problemOf([name = '', role, sha256 = '', ...rest]: string[]): string | null {
  if (role === undefined || rest.length > 0) return 'is not name:role:sha256';
  if (!NAME.test(name)) return `has a name that ${NAME_RULE}`;
  if (!isRole(role)) return `needs one of the roles ${ROLES.join(', ')}`;
  return SHA256.test(sha256) ? null : 'needs a sha256 of 64 lower-case hex digits';
}

/**
 * Makes a key for `name` and the entry that goes into `ADMIN_API_KEYS`. The key itself is nowhere else.
 *
 * @throws Error when `ADMIN_API_KEYS` cannot hold the name.
 */
export function createApiKey(name: string, role: Role): { key: string; entry: string } {
  if (!NAME.test(name)) throw new Error(`The name ${NAME_RULE}`);
  const key = randomBytes(32).toString('base64url');
  return { key, entry: `${name}:${role}:${sha256(key).toString('hex')}` };
}

/** Finds out whose key was presented. */
export class ApiKeyRing {
  readonly #keys: readonly { readonly key: ApiKey; readonly digest: Buffer }[];

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map((key) => ({ key, digest: Buffer.from(key.sha256, 'hex') }));
  }

  /** Compares with every key, in a time that tells nothing about which one is near. */
  find(presented: string): ApiKey | null {
    const digest = sha256(presented);
    let found: ApiKey | null = null;
    for (const candidate of this.#keys) {
      if (timingSafeEqual(candidate.digest, digest)) found = candidate.key;
    }
    return found;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
