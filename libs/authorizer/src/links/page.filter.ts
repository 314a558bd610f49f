import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { EventsError, isDatabaseAway, isSchemaAnother } from '@app/events';
import { WechatApiError, WechatError, WechatUnavailable } from '@app/wechat';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { AuthorizerError } from '../authorizer.errors.js';
import { type Language, languageOf } from './pages/language.js';
import { type Again, messagePage } from './pages/message-page.js';
import { type Page, PAGE_HEADERS } from './pages/page.js';

/** Where a request came to, as seen from there: whatever stands before it at a proxy stays as it is. */
export function pathOf({ url }: FastifyRequest): string {
  return `./${url.split('?', 1)[0]!.split('/').at(-1)!}`;
}

/** Tells merchants in their language what tells programs a problem document. */
@Catch()
export class PageFilter implements ExceptionFilter {
  private readonly logger = new Logger(PageFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const { status, body, headers } = this.pageOf(error, request, languageOf(request.headers['accept-language']));
    void reply
      .code(status)
      .headers({ ...PAGE_HEADERS, ...headers })
      .send(request.method === 'HEAD' ? '' : body);
  }

  private pageOf(error: unknown, request: FastifyRequest, language: Language): Page {
    const again: Again = { path: pathOf(request), method: 'get', label: 'retry' };
    const told = error instanceof AuthorizerError ? pageOfProblem(error, again, language) : undefined;
    if (told) return told;
    const isAway =
      error instanceof WechatUnavailable || error instanceof WechatApiError || error instanceof WechatError;
    if (isAway) {
      this.logger.warn(`A merchant could not be served: ${error.message}`);
      return messagePage(language, 'away', { retryAfterSeconds: 10, again });
    }
    if (isNotUnderstood(error))
      return messagePage(language, request.routeOptions.url?.endsWith(':linkId') ? 'unknown' : 'badRequest');
    const isSilent = isDatabaseAway(error) || (error instanceof EventsError && error.code === 'STORE_UNAVAILABLE');
    if (isSilent || isSchemaAnother(error)) {
      const why = isSilent ? 'the database does not answer' : 'migrations are pending';
      this.logger.warn(`A merchant could not be served: ${why}`);
      return messagePage(language, 'unavailable', { retryAfterSeconds: 10, refreshSeconds: 10 });
    }
    this.logger.error(`A merchants' page failed`, error instanceof Error ? error.stack : String(error));
    return messagePage(language, 'failed', { retryAfterSeconds: 10 });
  }
}

/** The problems that are a merchant's concern; the others never reach these pages. */
function pageOfProblem(
  { code, retryAfterSeconds = 60 }: AuthorizerError,
  again: Again,
  language: Language,
): Page | undefined {
  if (code === 'UNKNOWN_LINK') return messagePage(language, 'unknown');
  if (code === 'LINK_BUSY') return messagePage(language, 'busy', { retryAfterSeconds: 5, again });
  if (code === 'WECHAT_UNAVAILABLE') return messagePage(language, 'away', { retryAfterSeconds: 10, again });
  if (code === 'LINK_OPENED_TOO_OFTEN') return messagePage(language, 'tooOften', { retryAfterSeconds });
  if (code === 'TOO_MANY_CODES')
    return messagePage(language, 'tooMany', { retryAfterSeconds, refreshSeconds: retryAfterSeconds });
  return undefined;
}

/** What the application refuses before it comes to us: an address with characters that no link has. */
function isNotUnderstood(error: unknown): boolean {
  const { status } = error as { status?: unknown };
  return typeof status === 'number' && status >= 400 && status < 500;
}
