import {
  applyDecorators,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  UseFilters,
} from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { Public } from '@app/access';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { AuthorizerRecords } from '../authorizer-records.js';
import { AuthorizationLinks } from './authorization-links.service.js';
import { type AuthorizationLink, type Conflict, LinkStore } from './link-store.js';
import { MerchantLimits } from './merchant-limits.js';
import { type Language, languageOf } from './pages/language.js';
import { deviceOf, linkPage } from './pages/link-page.js';
import { type Again, messagePage } from './pages/message-page.js';
import { type Page, PAGE_HEADERS } from './pages/page.js';
import { successPage } from './pages/success-page.js';
import { PageFilter, pathOf } from './page.filter.js';
import { ReturnedCodes } from './returned-codes.js';

type Parameters = Readonly<Record<string, string | string[] | undefined>>;

/** The page answers within this time, whatever WeChat does. */
const WAIT_FOR_WECHAT_MS = 2_500;
const LOOK_AGAIN_SECONDS = 3;
/** A push that settles what was lost may be a while. */
const LOST_LOOK_AGAIN_SECONDS = 15;
/** WeChat's codes are about 100 printable characters. */
const CODE = /^[\x21-\x7e]{1,512}$/;

const html = { 'text/html': { schema: { type: 'string' } } } as const;
const WRONG = ApiResponse({ status: 'default', description: 'A page that says what is wrong', content: html });
const HTML_PAGE = applyDecorators(
  ApiOkResponse({ description: 'The page, in the language asked for', content: html }),
  WRONG,
);

/** The pages merchants see: the one they are sent, and the one WeChat sends them back to. */
@Public()
@UseFilters(PageFilter)
@Controller('social/with/wechat')
export class MerchantController {
  private readonly limits = new MerchantLimits();

  constructor(
    private readonly links: AuthorizationLinks,
    private readonly store: LinkStore,
    private readonly returnedCodes: ReturnedCodes,
    private readonly records: AuthorizerRecords,
  ) {}

  /** Looking costs nothing: WeChat is asked for a code only when a person opens the page. */
  @Get('authorize/:linkId')
  @ApiOperation({ summary: 'The page of a link, from which a merchant goes on to WeChat' })
  @HTML_PAGE
  async open(
    @Param('linkId') linkId: string,
    @Query() query: Parameters,
    @Headers('accept-language') acceptLanguage: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const language = languageOf(acceptLanguage);
    const link = await this.links.find(linkId);
    if (link.status !== 'pending') return send(reply, closedPage(language, link));
    if (query.rested !== undefined)
      return send(
        reply,
        messagePage(language, 'rested', { again: { path: pathOf(request), method: 'post', label: 'goOn' } }),
      );
    if (request.method === 'HEAD') return send(reply, { status: 200, body: '' });
    if (isPrefetch(request)) return send(reply, messagePage(language, 'busy', { retryAfterSeconds: 1 }));
    return send(reply, await this.invitation(link, language, request));
  }

  /** Fetches a fresh code for a page whose code WeChat does not take any more, and shows the page again. */
  @Post('authorize/:linkId')
  @ApiOperation({ summary: 'Fetch a fresh pre-auth code for the page of a link' })
  @ApiResponse({ status: 303, description: 'To the page, which has a fresh code' })
  @WRONG
  @HttpCode(303)
  async renew(
    @Param('linkId') linkId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    this.limits.opening(request.ip);
    const link = await this.links.find(linkId);
    if (link.status === 'pending') await this.links.open(link, { renew: true });
    void reply.headers(PAGE_HEADERS).header('location', new URL(this.links.urlOf(link.id)).pathname);
    return '';
  }

  /**
   * Where WeChat sends the merchant back to. Nothing in the address is believed: the code is what WeChat says it is, and the link
   * counts only with its token.
   */
  @Get('authorized')
  @ApiOperation({ summary: 'Where WeChat sends the merchant back to' })
  @ApiQuery({ name: 'auth_code', required: true, schema: { type: 'string' }, description: 'As WeChat gives it' })
  @ApiQuery({ name: 'link', required: false, schema: { type: 'string' }, description: 'The link that was followed' })
  @ApiQuery({
    name: 'token',
    required: false,
    schema: { type: 'string' },
    description: 'That it was: without it the link does not count',
  })
  @HTML_PAGE
  async authorized(
    @Query() query: Parameters,
    @Headers('accept-language') acceptLanguage: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const language = languageOf(acceptLanguage);
    const code = only(query.auth_code);
    if (!CODE.test(code)) return send(reply, messagePage(language, 'badRequest'));
    if (request.method === 'HEAD' || isPrefetch(request)) return send(reply, { status: 204, body: '' });
    const link = await this.links.returnedFrom(only(query.link), only(query.token));
    const id = await this.returnedCodes.accept(code, link?.id ?? null, () =>
      this.limits.bringingCode(request.ip, link?.id ?? null),
    );
    return send(reply, await this.outcome(id, link, language));
  }

  private async invitation(link: AuthorizationLink, language: Language, request: FastifyRequest): Promise<Page> {
    this.limits.opening(request.ip);
    const { pages, codeExpiresAt } = await this.links.open(link, { renew: false });
    const secondsGood = Math.max(30, Math.floor((codeExpiresAt.getTime() - Date.now()) / 1000) - 60);
    const device = deviceOf(request.headers['user-agent']);
    return linkPage(language, device, { link, pages, url: this.links.urlOf(link.id), secondsGood });
  }

  private async outcome(id: string, link: AuthorizationLink | null, language: Language): Promise<Page> {
    const { outcome, appId } = await this.returnedCodes.await(id, WAIT_FOR_WECHAT_MS);
    if (outcome === null) return messagePage(language, 'waiting', { refreshSeconds: LOOK_AGAIN_SECONDS });
    if (outcome === 'lost') return this.unknownOutcome(link, language);
    if (outcome !== 'authorized')
      return messagePage(language, outcome, link?.status === 'pending' ? openAgain(link) : {});
    const conflict = await this.conflictOver(link, appId);
    if (conflict?.reason === 'other_account')
      return messagePage(language, 'mismatch', link?.status === 'pending' ? openAgain(link) : {});
    if (conflict?.resolution === null) return messagePage(language, 'conflict');
    const record = appId === null ? null : await this.records.find(appId);
    return successPage(language, { nickName: record?.nickName ?? null, returnUrl: link?.returnUrl ?? null });
  }

  /** Why the link did not bind the account, unless an operator moved it since. */
  private async conflictOver(link: AuthorizationLink | null, appId: string | null): Promise<Conflict | undefined> {
    const listed = link && (await this.store.findListed(link.id));
    return listed?.conflicts.find(
      ({ authorizerAppId, resolution }) => authorizerAppId === appId && resolution !== 'move',
    );
  }

  /** A push with another code says nothing of this one, but that the link has done its work. */
  private async unknownOutcome(link: AuthorizationLink | null, language: Language): Promise<Page> {
    const now = link && (await this.store.find(link.id));
    if (now?.status === 'completed') return messagePage(language, 'used');
    const again = now?.status === 'pending' ? openAgain(now) : {};
    return messagePage(language, 'lost', { refreshSeconds: LOST_LOOK_AGAIN_SECONDS, ...again });
  }
}

/** From the page WeChat returns to, back to the page of the link. */
function openAgain({ id }: AuthorizationLink): { again: Again } {
  return { again: { path: `./authorize/${id}`, method: 'get', label: 'openLink' } };
}

function closedPage(language: Language, { status }: AuthorizationLink): Page {
  return messagePage(language, status === 'completed' ? 'used' : 'expired');
}

function send(reply: FastifyReply, { status, body, headers = {} }: Page): string {
  void reply.code(status).headers({ ...PAGE_HEADERS, ...headers });
  return body;
}

/** Browsers and previews say so when they only look ahead. */
function isPrefetch({ headers }: FastifyRequest): boolean {
  const purpose = [headers['sec-purpose'], headers.purpose, headers['x-purpose'], headers['x-moz']].join(' ');
  return /prefetch|prerender|preview/i.test(purpose);
}

/** A parameter that is given twice is as good as none. */
function only(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}
