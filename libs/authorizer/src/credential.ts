import { type AccessToken } from '@app/wechat';
import { type EntityManager } from 'typeorm';
import { type AuthorizerEntity } from './authorizer.entity.js';

/** Credentials are locked while WeChat is asked, and records by whoever waits for a credential: so long a statement may wait for them. */
const WAIT_MS = 25_000;

const allowed = new WeakSet<EntityManager>();

/** To be called first in a transaction that locks credentials or records of authorizers. */
export async function allowForWaiting(tx: EntityManager): Promise<void> {
  if (allowed.has(tx)) return;
  allowed.add(tx);
  await tx.query(`set local statement_timeout = ${WAIT_MS}`);
}

/** Tokens in the clear, as they exist only in memory. */
export interface Credential {
  readonly accessToken: string | null;
  readonly accessTokenExpiresAt: Date | null;
  readonly refreshToken: string | null;
  readonly permissionIds: readonly number[];
}

/** The moment before WeChat was asked for something: by the clock of the database, which all processes share, and in the order in which credentials come to be. */
export interface Inquiry {
  readonly at: Date;
  readonly point: bigint;
}

/** A credential under its row's lock, and how it has fared. */
export interface LockedCredential extends Credential {
  /** Greater than the `point` of every inquiry that was made before it came to be what it is. */
  readonly version: bigint;
  /** When WeChat gave the access token, as far as that is known. */
  readonly issuedAt: Date | null;
  readonly isLost: boolean;
  readonly isInvalid: boolean;
  readonly retryAt: Date | null;
  readonly failure: string | null;
}

/** What WeChat gives for a refresh token. */
export interface RefreshedTokens {
  readonly accessToken: string;
  readonly accessTokenExpiresAt: Date;
  readonly refreshToken: string;
}

/** An account as somebody who needs its token sees it. */
export interface Standing extends Pick<AuthorizerEntity, 'status' | 'attention'> {
  readonly hasCredential: boolean;
  readonly token: AccessToken | null;
}
