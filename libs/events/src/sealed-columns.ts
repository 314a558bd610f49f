import { type SealedColumn } from '@app/keyring';

export const eventsSealedColumns: readonly SealedColumn[] = [
  { table: 'event', column: 'secrets', key: { position: 'bigint' }, context: `'event.secrets:' || id` },
];
