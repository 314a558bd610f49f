import { type SealedColumn } from '@app/keyring';

export const wechatSealedColumns: readonly SealedColumn[] = ['ticket', 'access_token'].map((column) => ({
  table: 'platform_credential',
  column,
  key: { component_app_id: 'text' },
  context: `'platform_credential.${column}:' || component_app_id`,
}));
