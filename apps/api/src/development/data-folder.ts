import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DevelopmentError } from './development.errors.js';

/** What development keeps from one start to the next, so that nothing needs to be configured. */
export interface DataFolder {
  readonly path: string;
  /** For ENCRYPTION_KEYS: `dev:<base64 of 32 bytes>`. */
  readonly encryptionKeys: string;
  /** Opens the admin routes; the same at every start, so that copied commands keep working. */
  readonly operatorKey: string;
  /** For the embedded PostgreSQL. */
  readonly postgres: string;
}

const ENCRYPTION_KEYS = /^dev:[A-Za-z0-9+/]{43}=$/;
const OPERATOR_KEY = /^[A-Za-z0-9_-]{43}$/;

/**
 * Opens the folder, making it and the keys at the first start. Only this user can read the keys.
 *
 * @throws DevelopmentError where it cannot be read, a key in it is damaged, or the key to an existing database is gone
 */
export function openDataFolder(folder: string): DataFolder {
  const postgres = path.join(folder, 'postgres');
  const keyFile = path.join(folder, 'encryption-keys');
  try {
    mkdirSync(folder, { recursive: true });
    // PostgreSQL, which root has to run as another user, must get through to its own folder.
    chmodSync(folder, 0o711);
    if (!existsSync(keyFile) && existsSync(postgres)) throw new DevelopmentError('KEYS_LOST', [keyFile]);
    const newKeys = () => `dev:${randomBytes(32).toString('base64')}`;
    const encryptionKeys = keep(keyFile, newKeys, ENCRYPTION_KEYS, 'an encryption key of 32 bytes');
    const newKey = () => randomBytes(32).toString('base64url');
    const operatorKey = keep(path.join(folder, 'operator-key'), newKey, OPERATOR_KEY, 'an operator key');
    return { path: folder, encryptionKeys, operatorKey, postgres };
  } catch (error) {
    if (error instanceof DevelopmentError) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new DevelopmentError('FOLDER_UNUSABLE', [folder, reason], { cause: error });
  }
}

/** `.data` next to the package.json above that folder, wherever the program is started from. */
export function dataFolderPath(from: string = __dirname): string {
  if (existsSync(path.join(from, 'package.json')) || path.dirname(from) === from) return path.join(from, '.data');
  return dataFolderPath(path.dirname(from));
}

function keep(file: string, generate: () => string, pattern: RegExp, expected: string): string {
  if (!existsSync(file)) writeOnce(file, generate());
  const text = readFileSync(file, 'utf8').trim();
  if (!pattern.test(text)) throw new DevelopmentError('KEYS_UNREADABLE', [file, expected]);
  return text;
}

/** Complete or not at all, and never over what another start wrote at the same time: a link cannot replace a file. */
function writeOnce(file: string, text: string): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, `${text}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}
