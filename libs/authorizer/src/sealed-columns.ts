import { type SealedColumn } from '@app/keyring';

const credentialColumns = ['access_token', 'refresh_token'].map((column) => ({
  table: 'authorizer_credential',
  column,
  key: { component_app_id: 'text', app_id: 'text' },
  context: `'authorizer_credential.${column}:' || component_app_id || ':' || app_id`,
}));

export const authorizerSealedColumns: readonly SealedColumn[] = [
  ...credentialColumns,
  {
    table: 'authorization_link',
    column: 'redirect_token',
    key: { component_app_id: 'text', id: 'text' },
    context: `'authorization_link.redirect_token:' || component_app_id || ':' || id`,
  },
  {
    table: 'pre_auth_code',
    column: 'code',
    key: { id: 'bigint' },
    context: `'pre_auth_code.code:' || component_app_id || ':' || link_id`,
  },
  {
    table: 'returned_code',
    column: 'code',
    key: { id: 'uuid' },
    context: `'returned_code.code:' || component_app_id || ':' || encode(code_digest, 'hex')`,
  },
];
