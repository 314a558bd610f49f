import { authorizerSealedColumns } from '@app/authorizer';
import { eventsSealedColumns } from '@app/events';
import { type Keyring, KeyringError, type SealedColumn } from '@app/keyring';
import { wechatSealedColumns } from '@app/wechat';
import { type Client } from 'pg';

/** Every column of the database that holds sealed values. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  ...eventsSealedColumns,
  ...wechatSealedColumns,
  ...authorizerSealedColumns,
];

const BATCH = 500;
/** What was sealed anew meanwhile by a process that has not heard of the key yet is found by the next pass. */
const PASSES = 3;

interface DueRow {
  readonly key: string[];
  readonly sealed: string;
  readonly context: string;
}

export interface Rotation {
  /** Values sealed under the current key by this. */
  readonly resealed: number;
  /** Values that are not under the current key yet. */
  readonly left: number;
  /** Values no configured key opens, each as table.column and what is wrong. */
  readonly unreadable: readonly string[];
}

/**
 * Seals every value under the current key, in small steps while the application runs.
 *
 * Each value is exchanged only if it is still the one that was read, so nothing that is written meanwhile is lost; no row is held
 * for longer than one statement. What is done stays done: ended at any point, it goes on from there when run again.
 */
export async function rotateEncryption(
  database: Client,
  keyring: Keyring,
  onProgress: (done: number, total: number) => void,
): Promise<Rotation> {
  const total = await countDue(database, keyring);
  const unreadable = new Map<string, string>();
  let resealed = 0;
  for (
    let pass = 0;
    pass < PASSES && (pass === 0 || (await countDue(database, keyring)) > unreadable.size);
    pass += 1
  ) {
    for (const column of SEALED_COLUMNS) {
      for await (const row of dueRows(database, keyring, column)) {
        const sealed = reseal(keyring, row);
        if (sealed instanceof KeyringError)
          unreadable.set(`${column.table} ${column.column} ${row.key.join()}`, describe(column, sealed));
        else if (await exchange(database, column, row, sealed)) resealed += 1;
        onProgress(resealed + unreadable.size, total);
      }
    }
  }
  return { resealed, left: await countDue(database, keyring), unreadable: [...unreadable.values()] };
}

async function countDue(database: Client, keyring: Keyring): Promise<number> {
  const counts = SEALED_COLUMNS.map((column) => `(select count(*) from ${column.table} where ${isDue(column)})`);
  const { rows } = await database.query<{ count: number }>(`select (${counts.join(' + ')})::int as count`, [
    keyring.currentPrefix,
  ]);
  return rows[0]!.count;
}

async function* dueRows(database: Client, keyring: Keyring, column: SealedColumn): AsyncGenerator<DueRow> {
  const names = Object.keys(column.key);
  const after = Object.values(column.key).map((type, index) => `$${index + 2}::${type}`);
  const select = `
    select array[${names.map((name) => `${name}::text`).join()}] as key, ${column.column} as sealed, ${column.context} as context
    from ${column.table} where ${isDue(column)}`;
  const order = `order by ${names.join()} limit ${BATCH}`;
  const prefix = keyring.currentPrefix;
  let rows = (await database.query<DueRow>(`${select} ${order}`, [prefix])).rows;
  while (rows.length > 0) {
    yield* rows;
    const next = `${select} and (${names.join()}) > (${after.join()}) ${order}`;
    rows = (await database.query<DueRow>(next, [prefix, ...rows.at(-1)!.key])).rows;
  }
}

function isDue({ column }: SealedColumn): string {
  return `${column} is not null and not starts_with(${column}, $1)`;
}

function reseal(keyring: Keyring, { sealed, context }: DueRow): string | KeyringError {
  try {
    return keyring.seal(keyring.open(sealed, context), context);
  } catch (error) {
    if (error instanceof KeyringError) return error;
    throw error;
  }
}

async function exchange(database: Client, column: SealedColumn, row: DueRow, sealed: string): Promise<boolean> {
  const isTheRow = Object.entries(column.key).map(([name, type], index) => `${name} = $${index + 3}::${type}`);
  const { rowCount } = await database.query(
    `update ${column.table} set ${column.column} = $1 where ${column.column} = $2 and ${isTheRow.join(' and ')}`,
    [sealed, row.sealed, ...row.key],
  );
  return rowCount === 1;
}

function describe({ table, column }: SealedColumn, { message }: KeyringError): string {
  return `${table}.${column}: ${message}`;
}
