import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { finished } from 'node:stream';
import { type ServerResponse } from 'node:http';
import { type AccessCaller } from '@app/access';
import { catchError, from, mergeMap, type Observable, throwError } from 'rxjs';
import { AUDITED, type AuditedAction } from './audited.decorator.js';
import { CsvFile } from '../export/csv-file.js';
import { AuditLog, CALLER_GONE, type Outcome } from './audit-log.js';

interface AuditedRequest {
  /** Unknown once the caller has hung up. */
  readonly ip: string | undefined;
  readonly params: Readonly<Record<string, string>>;
  /** Not validated yet. */
  readonly body?: unknown;
  readonly caller?: AccessCaller;
}

interface AuditedReply {
  readonly statusCode: number;
  readonly raw: ServerResponse;
}

const MAX_TARGET = 200;

/** How the application answers an error; it provides this under `PROBLEM_OF`. */
export type ProblemOf = (error: unknown) => { readonly status: number; readonly code: string | number };
export const PROBLEM_OF = Symbol('problem of');

/**
 * Writes down every use of a route that is `@Audited`: before it, or it is not done; and after it, before the caller is answered, or
 * once the last of a file was sent. What is refused for its parameters is written down too; whoever is not let in is counted by the
 * guard instead.
 */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  private readonly logger = new Logger(AuditInterceptor.name);

  constructor(
    private readonly reflector: Reflector,
    private readonly log: AuditLog,
    @Inject(PROBLEM_OF) private readonly problemOf: ProblemOf,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const audited = this.reflector.get<AuditedAction | undefined>(AUDITED, context.getHandler());
    if (!audited) return next.handle();
    const http = context.switchToHttp();
    const request = http.getRequest<AuditedRequest>();
    const { ip, caller } = request;
    if (!caller) throw new Error('@Audited() needs @RequireRole() on the route or its class');
    const id = await this.log.begin({
      actor: caller,
      action: audited.action,
      target: targetOf(audited, request),
      address: ip ?? 'unknown',
    });
    const { statusCode: status, raw: response } = http.getResponse<AuditedReply>();
    return next.handle().pipe(
      mergeMap(async (answer: unknown) => {
        if (answer instanceof CsvFile) this.endWith(answer, response, id);
        else await this.end(id, { status, code: null, target: madeBy(audited, answer), rows: null });
        return answer;
      }),
      catchError((error: unknown) =>
        from(this.end(id, this.outcomeOf(error))).pipe(mergeMap(() => throwError(() => error))),
      ),
    );
  }

  /** The caller was told 200 before anybody could know how it would end. */
  private endWith(file: CsvFile, response: ServerResponse, id: string): void {
    let failure: unknown;
    file.getStream().once('error', (error) => (failure = error));
    finished(response, (brokenOff) => {
      const code = failure ? this.outcomeOf(failure).code : brokenOff ? CALLER_GONE : null;
      void this.end(id, { status: response.statusCode, code, target: null, rows: file.rows });
    });
  }

  /** As the caller is answered. */
  private outcomeOf(error: unknown): Outcome {
    const { status, code } = this.problemOf(error);
    return { status, code: String(code), target: null, rows: null };
  }

  /** What was done stays done when it cannot be noted how it ended: the entry is there, without an end. */
  private async end(id: string, outcome: Outcome): Promise<void> {
    await this.log.end(id, outcome).catch((error: Error) => {
      this.logger.error(`The outcome ${outcome.status} of audit entry ${id} was not noted: ${error.message}`);
    });
  }
}

function targetOf(
  { param, field }: AuditedAction,
  { params, body }: Pick<AuditedRequest, 'params' | 'body'>,
): string | null {
  if (param !== undefined) return printable(params[param] ?? '');
  const named = field === undefined ? undefined : (body as Record<string, unknown> | null | undefined)?.[field];
  return typeof named === 'string' ? printable(named) : null;
}

function madeBy({ made }: AuditedAction, answer: unknown): string | null {
  const value = made === undefined ? undefined : (answer as Record<string, unknown> | null | undefined)?.[made];
  return typeof value === 'string' || typeof value === 'number' ? printable(String(value)) : null;
}

/** Callers write it: of bounded size, and nothing that a database or a terminal would stumble over. */
function printable(text: string): string {
  return text.slice(0, MAX_TARGET).replace(/[\p{Cc}\p{Cs}]/gu, '\u{fffd}');
}
