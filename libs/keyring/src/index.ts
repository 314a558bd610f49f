export { Keyring, type EncryptionKey } from './keyring.js';
export { type SealedColumn } from './sealed-column.js';
export { KeyringError } from './keyring.errors.js';
export { parseEncryptionKeys } from './encryption-keys.js';
