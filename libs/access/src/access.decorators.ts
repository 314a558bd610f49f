import { createParamDecorator, SetMetadata, type ExecutionContext, type Type } from '@nestjs/common';
import { type Reflector } from '@nestjs/core';
import { type AccessCaller, type Role } from './roles.js';

/** Where the decorators leave their mark. One key for both, so that a method's word overrides its class's. */
const ACCESS_METADATA = 'access';
export type AccessRule = { readonly isPublic: true } | { readonly role: Role };

/** What a route declares; undefined for one that declares nothing, and is closed. */
export function ruleOf(reflector: Reflector, handler: () => unknown, controller: Type): AccessRule | undefined {
  return reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_METADATA, [handler, controller]);
}

/** Only callers whose role covers this one get through. */
export const RequireRole = (role: Role) => SetMetadata<string, AccessRule>(ACCESS_METADATA, { role });

/** Everybody gets through, unknown and uncounted. */
export const Public = () => SetMetadata<string, AccessRule>(ACCESS_METADATA, { isPublic: true });

/** The caller of a route that has `@RequireRole`. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): AccessCaller => {
  const { caller } = context.switchToHttp().getRequest<{ caller?: AccessCaller }>();
  if (!caller) throw new Error('@Caller() needs @RequireRole() on the route or its class');
  return caller;
});
