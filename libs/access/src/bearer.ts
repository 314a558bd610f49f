import { type IncomingMessage } from 'node:http';

/** Anything visible is taken for a token, which is more than RFC 6750 allows: keys that people chose themselves exist. */
const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;

export type Presented = { readonly token: string } | { readonly problem: 'missing' | 'malformed' };

/**
 * Reads the token out of `Authorization: Bearer <token>`.
 *
 * Two such fields are refused: Node keeps the first and a proxy may have looked at the last.
 */
export function presentedToken({ headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): Presented {
  if (headers.authorization === undefined) return { problem: 'missing' };
  const fields = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization');
  const token = BEARER.exec(headers.authorization)?.[1];
  return token && fields.length <= 1 ? { token } : { problem: 'malformed' };
}
