import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { AccessProblem } from '@app/access';
import { AuthorizerError, InvalidRequest } from '@app/authorizer';
import { EventsError, isDatabaseAway, isSchemaAnother } from '@app/events';
import { PushRejected, WechatApiError, WechatError, WechatUnavailable } from '@app/wechat';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { NotReady } from './not-ready.js';

/** RFC 9457, with a `code` that programs can rely on. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string | number;
  readonly detail?: string | undefined;
  /** Every field that is wrong, of a request that was not understood. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[] | undefined;
}

const CATALOGUED = [
  AccessProblem,
  AuthorizerError,
  EventsError,
  InvalidRequest,
  NotReady,
  PushRejected,
  WechatError,
] as const;

/** Whoever is told to come back later is told when, unless the error knows better. */
const RETRY_SOON = { 'retry-after': '5' };

const STATUS_TITLES: Readonly<Record<number, string>> = {
  400: 'The request is not understood',
  404: 'There is nothing at this address',
  413: 'The body is larger than 64 KiB',
  415: 'The body is not JSON',
};

/** Answers every error as a problem. What was not foreseen is a 500 that says nothing, and a line in the log that says all. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const problem = problemOf(error);
    this.log(error, problem, http.getRequest<FastifyRequest>());
    const reply = http.getResponse<FastifyReply>();
    void reply
      .code(problem.status)
      .headers({ ...(problem.status === 503 ? RETRY_SOON : {}), ...headersOf(error) })
      .header('content-type', 'application/problem+json; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(JSON.stringify(problem));
  }

  private log(error: unknown, { code }: Problem, { method, routeOptions }: FastifyRequest): void {
    const what = `${method} ${routeOptions.url ?? '(unknown route)'} failed`;
    if (code === 'INTERNAL') this.logger.error(what, error instanceof Error ? error.stack : String(error));
    if (code === 'MIGRATIONS_PENDING') this.logger.error(`${what}, run npm run migrate: ${(error as Error).message}`);
  }
}

/** The problem that tells a caller of this error. */
export function problemOf(error: unknown): Problem {
  for (const kind of CATALOGUED) {
    if (error instanceof kind) {
      const { status, title, code, detail } = error;
      return problem(status, title, code, detail, error instanceof InvalidRequest ? error.errors : undefined);
    }
  }
  if (error instanceof WechatApiError)
    return problem(502, 'WeChat refused', error.errcode, `${error.errmsg}. ${error.advice}`);
  if (error instanceof WechatUnavailable)
    return problem(503, 'WeChat cannot be reached; ask again later', 'WECHAT_UNAVAILABLE');
  if (isSchemaAnother(error)) return problemOf(new NotReady('MIGRATIONS_PENDING'));
  if (isDatabaseAway(error)) return problemOf(new NotReady('DATABASE_UNAVAILABLE'));
  const status = statusOf(error);
  if (status === 413) return problem(413, STATUS_TITLES[413]!, 'BODY_TOO_LARGE');
  if (status < 500) return problem(status, STATUS_TITLES[status] ?? 'The request is not acceptable', `HTTP_${status}`);
  return problem(500, 'Something went wrong on our side; the log knows what', 'INTERNAL');
}

function problem(
  status: number,
  title: string,
  code: string | number,
  detail?: string,
  errors?: Problem['errors'],
): Problem {
  return { type: 'about:blank', title, status, code, detail, errors };
}

/** Nest and Fastify know which of their errors are the caller's. */
function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const { statusCode, code } = error as { statusCode?: unknown; code?: unknown };
  return typeof statusCode === 'number' && typeof code === 'string' && code.startsWith('FST_') ? statusCode : 500;
}

function headersOf(error: unknown): Record<string, string> {
  if (error instanceof AccessProblem || error instanceof AuthorizerError) return { ...error.headers };
  if (error instanceof WechatUnavailable)
    return { 'retry-after': String(Math.ceil((error.retryAfterMs ?? 5_000) / 1000)) };
  return {};
}
