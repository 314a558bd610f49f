import { CreateAuthorizer1763700000003 } from './1763700000003-create-authorizer.js';
import { KeepCredentials1763700000010 } from './1763700000010-keep-credentials.js';
import { CreateLinks1763700000030 } from './1763700000030-create-links.js';
import { IndexSearch1763700000040 } from './1763700000040-index-search.js';
import { CreateAudit1763700000041 } from './1763700000041-create-audit.js';
import { NoteAuthorizerTokenIssue1763700000051 } from './1763700000051-note-authorizer-token-issue.js';
import { TightenLinks1763700000052 } from './1763700000052-tighten-links.js';

export const authorizerMigrations = [
  CreateAuthorizer1763700000003,
  KeepCredentials1763700000010,
  CreateLinks1763700000030,
  IndexSearch1763700000040,
  CreateAudit1763700000041,
  NoteAuthorizerTokenIssue1763700000051,
  TightenLinks1763700000052,
];
