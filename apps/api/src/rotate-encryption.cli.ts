import { Keyring } from '@app/keyring';
import { Client } from 'pg';
import { EnvError, readVariables } from './env.js';
import { reachDatabase } from './reach-database.js';
import { rotateEncryption } from './rotate-encryption.js';

const BAR_WIDTH = 40;
const PLAIN_EVERY_MS = 5_000;

/** `npm run rotate-encryption`: seals everything in DATABASE_URL under the first of ENCRYPTION_KEYS, while the API runs. */
async function main(): Promise<number> {
  const { DATABASE_URL, ENCRYPTION_KEYS } = process.env;
  const variables = readVariables({ NODE_ENV: 'development', DATABASE_URL, ENCRYPTION_KEYS });
  const { DATABASE_URL: url, ENCRYPTION_KEYS: keys } = variables;
  if (!url || !keys) throw new EnvError([`${url ? 'ENCRYPTION_KEYS' : 'DATABASE_URL'}: is required`]);
  await reachDatabase(url);
  const database = new Client({ connectionString: url, application_name: 'wechat-rotate-encryption' });
  await database.connect();
  try {
    const { resealed, left, unreadable } = await rotateEncryption(database, new Keyring(keys), showProgress());
    for (const [problem, count] of countEach(unreadable)) console.error(`${count} × ${problem}`);
    console.log(`${resealed} values are sealed under the key ${keys[0]!.id} now; ${left} are not.`);
    if (left > 0) console.error('Keep every key configured. Mend what is named above, or run this again.');
    else if (keys.length > 1)
      console.log(`Nothing needs the other keys any more: ENCRYPTION_KEYS may be cut to ${keys[0]!.id}.`);
    return left > 0 ? 1 : 0;
  } finally {
    await database.end();
  }
}

/** A bar on a terminal; elsewhere a line now and then, as logs like it. */
function showProgress(): (done: number, total: number) => void {
  const isTerminal = process.stdout.isTTY;
  let shownAt = 0;
  return (done, total) => {
    const now = Date.now();
    const isLast = done >= total;
    if (!isLast && now - shownAt < (isTerminal ? 100 : PLAIN_EVERY_MS)) return;
    shownAt = now;
    if (!isTerminal) return console.log(`${done} of ${total}`);
    const filled = total === 0 ? BAR_WIDTH : Math.min(BAR_WIDTH, Math.round((done / total) * BAR_WIDTH));
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    process.stdout.write(`\r${bar} ${done} of ${total}${isLast ? '\n' : ''}`);
  };
}

function countEach(problems: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const problem of problems) counts.set(problem, (counts.get(problem) ?? 0) + 1);
  return counts;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const isOurs = error instanceof EnvError;
    console.error(isOurs ? error.message : `The values were not all sealed anew: ${(error as Error).message}`);
    process.exitCode = 1;
  },
);
