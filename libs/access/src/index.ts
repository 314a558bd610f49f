export { Caller, Public, RequireRole, ruleOf } from './access.decorators.js';
export { AccessFailures } from './access-failures.js';
export { type RateLimits } from './access-limits.js';
export { AccessModule, type AccessOptions } from './access.module.js';
export { AccessProblem, type AccessProblemCode } from './access.errors.js';
export { createApiKey, parseApiKeys, type ApiKey } from './api-keys.js';
export { type OidcOptions } from './oidc-verifier.js';
export { addressGroup, type Rate, RateLimiter } from './rate-limiter.js';
export { isRole, ROLES, type AccessCaller, type Role } from './roles.js';
