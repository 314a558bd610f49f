import { randomBytes } from 'node:crypto';

const random = (bytes: number): string => randomBytes(bytes).toString('base64url');

/** Every secret value the sandbox hands out, in the form and length real ones have. */
export const mint = {
  ticket: (): string => `ticket@@@${random(64)}`,
  componentAccessToken: (): string => `61_${random(100)}`,
  preAuthCode: (): string => `preauthcode@@@${random(64)}`,
  authorizationCode: (): string => `queryauthcode@@@${random(64)}`,
  authorizerAccessToken: (): string => `92_${random(100)}`,
  refreshToken: (): string => `refreshtoken@@@${random(32)}`,
  originalId: (): string => `gh_${randomBytes(6).toString('hex')}`,
  /** Looked up with rid/get; the first part is the time in hex. */
  rid: (unixSeconds: number): string =>
    `${unixSeconds.toString(16)}-${randomBytes(4).toString('hex')}-${randomBytes(4).toString('hex')}`,
};
