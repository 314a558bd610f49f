import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type Reflector } from '@nestjs/core';
import { type IncomingMessage } from 'node:http';
import { ruleOf } from './access.decorators.js';
import { AccessProblem, type AccessProblemCode } from './access.errors.js';
import { type AccessFailures, type FailureReason } from './access-failures.js';
import { type AccessLimits } from './access-limits.js';
import { type ApiKeyRing } from './api-keys.js';
import { presentedToken } from './bearer.js';
import { OidcVerifier } from './oidc-verifier.js';
import { addressGroup } from './rate-limiter.js';
import { covers, type AccessCaller, type Role } from './roles.js';

/** As much of Fastify's request as is looked at. */
interface GuardedRequest {
  readonly ip: string;
  readonly raw: IncomingMessage;
  readonly routeOptions: { readonly url?: string };
  caller?: AccessCaller;
}

const REASON_BY_CODE: Partial<Record<AccessProblemCode, FailureReason>> = {
  ROLE_TOO_LOW: 'no_role',
  IDENTITY_PROVIDER_UNAVAILABLE: 'provider_unavailable',
};

/**
 * Lets in who may come in, by what a route declares and never by its URL.
 *
 * A route that declares nothing is closed to everybody. A valid key is let in however many wrong ones came from its address: keys hold
 * 256 bits and cannot be guessed, and one misconfigured service must not lock out the operators behind the same proxy.
 */
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly keys: ApiKeyRing,
    private readonly limits: AccessLimits,
    private readonly failures: AccessFailures,
    private readonly oidc: OidcVerifier | null,
  ) {}

  /** @throws AccessProblem for everybody who is not let in. */
  async canActivate(context: ExecutionContext): Promise<true> {
    const rule = ruleOf(this.reflector, context.getHandler() as () => unknown, context.getClass());
    if (rule && 'isPublic' in rule) return true;
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    if (!rule) throw this.#refuse(request, 'route_undeclared', new AccessProblem('ROUTE_UNDECLARED'));
    request.caller = await this.#admit(request, rule.role);
    return true;
  }

  async #admit(request: GuardedRequest, role: Role): Promise<AccessCaller> {
    this.#slowDown(request, this.limits.address.take(addressGroup(request.ip)));
    const caller = await this.#identify(request);
    this.#slowDown(request, this.limits.caller.take(`${caller.kind}:${caller.name}`));
    if (covers(caller.role, role)) return caller;
    const detail = `It needs the role ${role}`;
    throw this.#refuse(request, 'role_too_low', new AccessProblem('ROLE_TOO_LOW', { detail }));
  }

  async #identify(request: GuardedRequest): Promise<AccessCaller> {
    const presented = presentedToken(request.raw);
    if ('problem' in presented) throw this.#reject(request, presented.problem);
    const { token } = presented;
    const key = this.keys.find(token);
    if (key) return { name: key.name, role: key.role, kind: 'api-key' };
    if (this.oidc && OidcVerifier.isCandidate(token)) return this.#verify(request, token, this.oidc);
    throw this.#reject(request, 'unknown_key');
  }

  async #verify(request: GuardedRequest, token: string, oidc: OidcVerifier): Promise<AccessCaller> {
    try {
      return await oidc.verify(token);
    } catch (error) {
      if (!(error instanceof AccessProblem)) throw error;
      const reason = REASON_BY_CODE[error.code];
      throw reason ? this.#refuse(request, reason, error) : this.#reject(request, 'invalid_token', error.cause);
    }
  }

  /** A refusal for want of credentials; when there were too many of them, the answer is to wait. */
  #reject(request: GuardedRequest, reason: FailureReason, cause?: unknown): AccessProblem {
    const wait = this.limits.failures.take(addressGroup(request.ip));
    if (wait > 0) return this.#refuse(request, reason, tooMany(wait));
    if (reason === 'missing') {
      const headers = { 'www-authenticate': 'Bearer' };
      return this.#refuse(request, reason, new AccessProblem('CREDENTIALS_MISSING', { headers }));
    }
    const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
    return this.#refuse(request, reason, new AccessProblem('CREDENTIALS_INVALID', { headers, cause }));
  }

  #slowDown(request: GuardedRequest, wait: number): void {
    if (wait > 0) throw this.#refuse(request, 'rate_limited', tooMany(wait));
  }

  #refuse(request: GuardedRequest, reason: FailureReason, problem: AccessProblem): AccessProblem {
    this.failures.count(reason, problem.code, request.ip, request.routeOptions.url ?? 'an unknown route');
    return problem;
  }
}

function tooMany(wait: number): AccessProblem {
  return new AccessProblem('TOO_MANY_REQUESTS', { headers: { 'retry-after': String(wait) } });
}
