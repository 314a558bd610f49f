import { type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { type AccessCaller } from '@app/access';
import { InvalidRequest } from '@app/authorizer';
import { type Observable } from 'rxjs';

/** How Nest numbers the decorators of parameters. */
const BODY = 3;
const QUERY = 4;

interface GuardedRequest {
  readonly query: unknown;
  readonly body: unknown;
  readonly caller?: AccessCaller;
}

/** Refuses parameters and body fields on guarded routes that take none, as schemas do on those that do. */
export class UndeclaredInputInterceptor implements NestInterceptor {
  /** @throws InvalidRequest naming every one of them */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { query, body, caller } = context.switchToHttp().getRequest<GuardedRequest>();
    if (!caller) return next.handle();
    const undeclared = [...(takes(context, QUERY) ? [] : names(query)), ...(takes(context, BODY) ? [] : names(body))];
    if (undeclared.length > 0) throw new InvalidRequest([{ code: 'unrecognized_keys', keys: undeclared, message: '' }]);
    return next.handle();
  }
}

function takes(context: ExecutionContext, kind: number): boolean {
  const declared = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), context.getHandler().name) as
    Record<string, unknown> | undefined;
  return Object.keys(declared ?? {}).some((key) => key.startsWith(`${kind}:`));
}

function names(input: unknown): string[] {
  if (typeof input === 'string') return input === '' ? [] : ['(body)'];
  return Object.keys(input ?? {});
}
