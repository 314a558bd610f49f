import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { KeyringError } from './keyring.errors.js';

/** One key of `ENCRYPTION_KEYS`: a short name that is stored beside every value, and 32 bytes. */
export interface EncryptionKey {
  readonly id: string;
  readonly key: Buffer;
}

const VERSION = 'v1';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals secrets for storage with AES-256-GCM and opens them again.
 *
 * The first key seals, every key opens. A sealed value reads `v1.<key id>.<base64url of iv, tag, ciphertext>`; its context (which
 * column of which row) is authenticated with it, so a value copied to another row does not open there.
 */
export class Keyring {
  private readonly keys: ReadonlyMap<string, Buffer>;
  private readonly current: EncryptionKey;

  /** @throws KeyringError NO_KEY when there is no key, BAD_KEY when one is not 32 bytes or an id repeats. */
  constructor(keys: readonly EncryptionKey[]) {
    const [first] = keys;
    if (!first) throw new KeyringError('NO_KEY');
    this.keys = new Map(keys.map(({ id, key }) => [id, key]));
    if (this.keys.size !== keys.length || keys.some(({ key }) => key.length !== 32)) throw new KeyringError('BAD_KEY');
    this.current = first;
  }

  /** Seals `plain` under the current key, bound to `context`. */
  seal(plain: string, context: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.current.key, iv).setAAD(Buffer.from(context));
    const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return `${VERSION}.${this.current.id}.${Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url')}`;
  }

  /** @throws KeyringError UNKNOWN_KEY when the key is not configured, DAMAGED when the value or its context is not the sealed one. */
  open(sealed: string, context: string): string {
    const { keyId, bytes } = split(sealed);
    const key = this.keys.get(keyId);
    if (!key) throw new KeyringError('UNKNOWN_KEY', `key id ${keyId}`);
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch (cause) {
      throw new KeyringError('DAMAGED', `key id ${keyId}`, cause);
    }
  }

  /** Every sealed value that does not start with this is due for re-encryption. */
  get currentPrefix(): string {
    return `${VERSION}.${this.current.id}.`;
  }
}

function split(sealed: string): { keyId: string; bytes: Buffer } {
  const [version, keyId, payload, ...rest] = sealed.split('.');
  const bytes = Buffer.from(payload ?? '', 'base64url');
  if (version !== VERSION || !keyId || rest.length > 0 || bytes.length < IV_BYTES + TAG_BYTES) {
    throw new KeyringError('DAMAGED', 'not a sealed value');
  }
  return { keyId, bytes };
}
