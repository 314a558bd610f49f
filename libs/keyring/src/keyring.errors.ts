/** Why a secret could not be sealed or opened, with what an operator can do. */
const KEYRING_PROBLEMS = {
  NO_KEY: 'ENCRYPTION_KEYS holds no key',
  BAD_KEY: 'ENCRYPTION_KEYS must hold distinct ids with keys of 32 bytes each',
  UNKNOWN_KEY:
    'A stored secret was sealed with a key that ENCRYPTION_KEYS no longer holds; add that key again, after the first',
  DAMAGED:
    'A stored secret does not open: it was altered, moved to another row, or its key was replaced under the same id',
} as const;

/** A secret that cannot be sealed or opened. Never carries the secret. */
export class KeyringError extends Error {
  constructor(
    readonly code: keyof typeof KEYRING_PROBLEMS,
    detail?: string,
    cause?: unknown,
  ) {
    super(detail ? `${KEYRING_PROBLEMS[code]} (${detail})` : KEYRING_PROBLEMS[code], { cause });
    this.name = 'KeyringError';
  }
}
