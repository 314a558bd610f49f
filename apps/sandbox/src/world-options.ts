import { type PushOptions } from './push/push-sender.js';
import { type AccountKind } from './state/account.js';
import { type GrantChange } from './state/authorizations.js';

/** How an event is stamped and sent; `createTime` is unix seconds, default now. */
export interface EventOptions extends PushOptions {
  createTime?: number;
}

export interface GrantOptions extends EventOptions {
  /** Default: everything this kind of account is asked for. */
  funcIds?: readonly number[];
  preAuthCode?: string;
  /** False keeps the push back altogether: lost on the way. */
  push?: boolean;
}

export interface TicketOptions extends EventOptions {
  /** How many pushes, all at once; default 1. */
  times?: number;
  /** The ticket of last time once more. */
  same?: boolean;
  /** Another ticket in each push of the burst. */
  distinct?: boolean;
}

export const EXPIRABLES = [
  'tickets',
  'componentTokens',
  'componentTokensForgotten',
  'preAuthCodes',
  'codes',
  'accessTokens',
] as const;
export type Expirable = (typeof EXPIRABLES)[number];

export interface Granted {
  change: GrantChange;
  /** The code the push carries. */
  code: string;
  /** The code the browser carries home: the same, unless `redirectsWithAnotherCode`. */
  redirectCode: string;
  expiresIn: number;
}

export interface BulkOptions {
  /** Whether their codes were exchanged, so that the list shows a refresh token; default true. */
  exchanged: boolean;
  /** Default mini_program. */
  kind: AccountKind;
}
