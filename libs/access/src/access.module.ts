import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { AccessFailures } from './access-failures.js';
import { AccessGuard } from './access.guard.js';
import { AccessLimits, type RateLimits } from './access-limits.js';
import { ApiKeyRing, type ApiKey } from './api-keys.js';
import { OidcVerifier, type OidcOptions } from './oidc-verifier.js';

export interface AccessOptions {
  readonly keys: readonly ApiKey[];
  /** Tokens of this identity provider are accepted beside the keys. */
  readonly oidc?: OidcOptions | undefined;
  readonly rateLimit?: Partial<RateLimits> | undefined;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/** Registers AccessGuard for every route of the application, and exports AccessFailures for the metrics. */
@Module({})
export class AccessModule {
  static register({ keys, oidc, rateLimit, now = Date.now }: AccessOptions): DynamicModule {
    const failures = new AccessFailures(now);
    const limits = new AccessLimits(rateLimit, now);
    const verifier = oidc ? new OidcVerifier({ now, ...oidc }) : null;
    const guard = (reflector: Reflector) =>
      new AccessGuard(reflector, new ApiKeyRing(keys), limits, failures, verifier);
    return {
      module: AccessModule,
      global: true,
      providers: [
        { provide: AccessFailures, useValue: failures },
        { provide: APP_GUARD, useFactory: guard, inject: [Reflector] },
      ],
      exports: [AccessFailures],
    };
  }
}
