import { Injectable } from '@nestjs/common';
import { type Authorizer, type AuthorizerFilter, AuthorizerService } from '../authorizer.service.js';
import { csvLine } from './csv.js';
import { type CsvPart } from './csv-file.js';

const PAGE = 1_000;

/** The columns, and what they say of an account. */
const COLUMNS: Readonly<Record<string, (authorizer: Authorizer) => string | boolean | Date | null>> = {
  appId: ({ appId }) => appId,
  status: ({ status }) => status,
  accountType: ({ accountType }) => accountType,
  nickName: ({ nickName }) => nickName,
  userName: ({ userName }) => userName,
  principalName: ({ principalName }) => principalName,
  alias: ({ alias }) => alias,
  verified: ({ verified }) => verified,
  accountStatus: ({ accountStatus }) => accountStatus,
  permissions: ({ permissions }) => permissions.map(({ id }) => id).join(' '),
  tenantId: ({ tenantId }) => tenantId,
  state: ({ state }) => state,
  credentialStatus: ({ credential }) => credential.status,
  attention: ({ attention }) => attention,
  authorizedAt: ({ authorizedAt }) => authorizedAt,
  unauthorizedAt: ({ unauthorizedAt }) => unauthorizedAt,
  lastEventAt: ({ lastEventAt }) => lastEventAt,
  profileSyncedAt: ({ profileSyncedAt }) => profileSyncedAt,
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
};

/** The list of authorizers as a table for spreadsheets. */
@Injectable()
export class AuthorizerExport {
  constructor(private readonly authorizers: AuthorizerService) {}

  /** Reads the list page by page, each when the one before has been taken: however long it is, one page is in memory. */
  async *csv(filter: Omit<AuthorizerFilter, 'limit' | 'after'>): AsyncGenerator<CsvPart, void> {
    yield { text: csvLine(Object.keys(COLUMNS)), rows: 0 };
    let after: string[] | null | undefined;
    while (after !== null) {
      const page = await this.authorizers.list({ ...filter, after, limit: PAGE });
      after = page.next;
      if (page.authorizers.length > 0)
        yield { text: page.authorizers.map(lineOf).join(''), rows: page.authorizers.length };
    }
  }
}

function lineOf(authorizer: Authorizer): string {
  return csvLine(Object.values(COLUMNS).map((read) => textOf(read(authorizer))));
}

function textOf(value: string | boolean | Date | null): string | null {
  return value instanceof Date ? value.toISOString() : value === null ? null : String(value);
}
