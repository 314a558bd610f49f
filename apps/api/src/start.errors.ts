/** What can keep us from starting although the environment reads well: what was tried, where, and what to do about it. */
const SENTENCES = {
  PORT_TAKEN: (port: string) => `Port ${port} is taken: stop what uses it, or set PORT to another one.`,
  PORT_FORBIDDEN: (port: string) => `Port ${port} is not open to this user: set PORT to one above 1023.`,
  HOST_ELSEWHERE: (host: string) =>
    `HOST ${host} is not an address of this machine: set it to one that is, or to 0.0.0.0 for all of them.`,
  DATABASE_AWAY: (place: string, reason: string, seconds: string) =>
    `The database at ${place} cannot be reached (${reason}), tried for ${seconds} s: start it, or correct DATABASE_URL.`,
  DATABASE_REFUSES: (place: string, reason: string) =>
    `The database at ${place} does not let us in (${reason}): correct DATABASE_URL.`,
  DATABASE_TOO_OLD: (place: string, version: string) =>
    `The database at ${place} is PostgreSQL ${version}: set DATABASE_URL to a PostgreSQL 15 or newer.`,
};

type Sentences = typeof SENTENCES;

/** A reason why the start cannot go on; the message is the one sentence to show. */
export class StartError<Code extends keyof Sentences = keyof Sentences> extends Error {
  override readonly name = 'StartError';

  constructor(
    readonly code: Code,
    facts: Parameters<Sentences[Code]>,
    options?: ErrorOptions,
  ) {
    const sentence: (...facts: string[]) => string = SENTENCES[code];
    super(sentence(...facts), options);
  }
}
