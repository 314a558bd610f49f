import type {
  auditAnswer,
  authorizerAnswer,
  deliveryAnswer,
  linkAnswer,
  newLinkAnswer,
  platformAnswer,
  pushAnswer,
  pushDetailAnswer,
  rejectionsAnswer,
} from '@app/authorizer';
import type { z } from 'zod';

/** What the API answers, as its own schemas say: a change there that matters here does not compile. */
export type AuditEntry = z.infer<typeof auditAnswer>;
export type Authorizer = z.infer<typeof authorizerAnswer>;
export type Delivery = z.infer<typeof deliveryAnswer>;
export type Link = z.infer<typeof linkAnswer>;
export type NewLink = z.infer<typeof newLinkAnswer>;
export type Platform = z.infer<typeof platformAnswer>;
export type Push = z.infer<typeof pushAnswer>;
export type PushDetail = z.infer<typeof pushDetailAnswer>;
export type Rejections = z.infer<typeof rejectionsAnswer>;

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface Caller {
  readonly name: string;
  readonly role: AuditEntry['actor']['role'];
}
