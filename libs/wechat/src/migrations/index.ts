import { CreatePlatform1763700000002 } from './1763700000002-create-platform.js';
import { NotePreviousSecrets1763700000011 } from './1763700000011-note-previous-secrets.js';
import { NoteTokenIssue1763700000050 } from './1763700000050-note-token-issue.js';
import { TellPlatformCredential1763700000065 } from './1763700000065-tell-platform-credential.js';

export const wechatMigrations = [
  CreatePlatform1763700000002,
  NotePreviousSecrets1763700000011,
  NoteTokenIssue1763700000050,
  TellPlatformCredential1763700000065,
];
