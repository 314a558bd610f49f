import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { AccessProblem } from './access.errors.js';
import { isRole, type AccessCaller, type Role } from './roles.js';

export interface OidcOptions {
  /** As the provider writes itself, to the letter (`ADMIN_OIDC_ISSUER`). */
  readonly issuer: string;
  readonly audience: string;
  /** The claim with our role or roles; by default `role`, and where that is absent `roles`. */
  readonly roleClaim?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How long after one reading of the provider's keys an unknown key does not cause another; 30,000 by default. */
  readonly keysCooldownMs?: number;
  /** How long the provider may take to answer; 3,000 by default. */
  readonly timeoutMs?: number;
}

/** Signatures that only the provider can make: with HS256, whoever knows its public key could sign. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const CLOCK_TOLERANCE_SECONDS = 10;
/** The provider is asked again after this, or after a failure. */
const DISCOVERY_MAX_AGE_MS = 3_600_000;
const DISCOVERY_COOLDOWN_MS = 5_000;
/** Of several roles the first in this order counts. */
const PRECEDENCE: readonly Role[] = ['operator', 'viewer', 'service'];

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });
const roleNames = z.union([z.string().transform((role) => [role]), z.array(z.unknown())]).catch([]);

interface Discovered {
  readonly keys: Promise<JWTVerifyGetKey>;
  freshUntil: number;
}

/**
 * Checks tokens of an OpenID Connect provider, whose keys it reads when the first token comes and again when they change.
 *
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html
 */
export class OidcVerifier {
  #discovered: Discovered | undefined;
  readonly #now: () => number;

  constructor(private readonly options: OidcOptions) {
    this.#now = options.now ?? Date.now;
  }

  /** Whether a bearer token is one to check here: three parts, as only JWTs have them. */
  static isCandidate(token: string): boolean {
    return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
  }

  /**
   * Who the token speaks for.
   *
   * @throws AccessProblem CREDENTIALS_INVALID; ROLE_TOO_LOW when the token is good but names no role of ours;
   * IDENTITY_PROVIDER_UNAVAILABLE when its keys cannot be had.
   */
  async verify(token: string): Promise<AccessCaller> {
    const claims = await this.#claimsOf(token);
    const role = this.#roleIn(claims);
    if (!claims.sub) throw invalid();
    if (!role) throw new AccessProblem('ROLE_TOO_LOW', { detail: 'The token names no role of this service' });
    return { name: claims.sub, role, kind: 'oidc' };
  }

  async #claimsOf(token: string): Promise<JWTPayload> {
    const { issuer, audience } = this.options;
    const checks = { issuer, audience, algorithms: ALGORITHMS, requiredClaims: ['exp', 'sub'] };
    const clock = { clockTolerance: CLOCK_TOLERANCE_SECONDS, currentDate: new Date(this.#now()) };
    try {
      return (await jwtVerify(token, this.#key, { ...checks, ...clock })).payload;
    } catch (error) {
      throw error instanceof AccessProblem ? error : invalid(error);
    }
  }

  readonly #key: JWTVerifyGetKey = async (header, token) => {
    try {
      const keys = await this.#keys();
      return await keys(header, token);
    } catch (error) {
      if (isAboutTheToken(error)) throw error;
      throw new AccessProblem('IDENTITY_PROVIDER_UNAVAILABLE', { headers: { 'retry-after': '5' }, cause: error });
    }
  };

  /** One reading for all who ask at the same time, and none for a while after one failed: then what was read before still holds. */
  #keys(): Promise<JWTVerifyGetKey> {
    const former = this.#discovered;
    if (former && this.#now() < former.freshUntil) return former.keys;
    const reading = this.#discover();
    const keys = reading.catch((error: unknown) => former?.keys ?? Promise.reject(error as Error));
    const discovered: Discovered = { keys, freshUntil: this.#now() + DISCOVERY_MAX_AGE_MS };
    this.#discovered = discovered;
    reading.catch(() => (discovered.freshUntil = this.#now() + DISCOVERY_COOLDOWN_MS));
    return keys;
  }

  async #discover(): Promise<JWTVerifyGetKey> {
    const { issuer, timeoutMs = 3_000, keysCooldownMs = 30_000 } = this.options;
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`The discovery document was answered with status ${response.status}`);
    const document = discovery.parse(await response.json());
    if (document.issuer !== issuer) throw new Error('The discovery document is that of another issuer');
    const keysUrl = new URL(document.jwks_uri);
    if (keysUrl.protocol === 'http:' && !issuer.startsWith('http:')) throw new Error('The keys are not behind https');
    return createRemoteJWKSet(keysUrl, { timeoutDuration: timeoutMs, cooldownDuration: keysCooldownMs });
  }

  #roleIn(claims: JWTPayload): Role | undefined {
    const { roleClaim } = this.options;
    const names = roleNames.parse(roleClaim ? claims[roleClaim] : (claims.role ?? claims.roles));
    const roles = names.filter(isRole);
    return PRECEDENCE.find((role) => roles.includes(role));
  }
}

function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

function invalid(cause?: unknown): AccessProblem {
  return new AccessProblem('CREDENTIALS_INVALID', { cause });
}
