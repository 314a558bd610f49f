import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { type AccessCaller, Caller, RequireRole } from '@app/access';
import { z } from 'zod';
import { pageOfAnswers } from '../admin/answers.js';
import { BIGINT, cursor, limit, PagedList } from '../admin/cursor.js';
import { Audited } from '../audit/audited.decorator.js';
import { AuthorizerError } from '../authorizer.errors.js';
import { AuthorizationLinks } from './authorization-links.service.js';
import { linkAnswer, newLinkAnswer } from './link-answers.js';
import { LinkBindings, RESOLUTIONS } from './link-bindings.js';
import { LINK_STATUSES, LinkStore, type ListedLink } from './link-store.js';
import { AUTH_TYPES } from './wechat-pages.js';

/** Text that PostgreSQL, JSON and a log line can carry. */
const line = (max: number) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(max, `must be at most ${max} characters`)
    .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), 'must not contain control characters');

const returnUrl = line(2000).refine(isWebAddress, 'must be an http:// or https:// address without a user name');

const appId = z.string().regex(/^wx[0-9a-zA-Z]{1,62}$/, 'must be an appid, which starts with wx');

const wish = z
  .strictObject({
    tenantId: line(200).optional(),
    state: line(1000).optional(),
    authType: z.literal(AUTH_TYPES, `must be one of ${AUTH_TYPES.join(', ')}`).optional(),
    authorizerAppId: appId.optional(),
    returnUrl: returnUrl.optional(),
    permissionIds: z
      .array(z.int('must be a number').min(1).max(100_000))
      .min(1, 'must name one, or be left out')
      .max(200)
      .refine((ids) => new Set(ids).size === ids.length, 'must name each permission set once')
      .optional(),
  })
  .optional();

const listQuery = z.strictObject({
  status: z.enum(LINK_STATUSES).optional().describe('How far it has come'),
  tenantId: line(200).optional().describe('The tenant it was made for'),
  conflict: z.literal('open', 'must be open').optional().describe('Those with an account that waits for a decision'),
  limit,
  cursor: cursor.optional(),
});
const newestFirst = new PagedList('authorization-links', BIGINT);

const decision = z.strictObject({
  authorizerAppId: appId.describe('The account that the decision is about'),
  resolution: z
    .enum(RESOLUTIONS, 'must be keep or move')
    .describe('keep: the account stays as it is; move: it goes to the tenant of the link'),
});

/** Links that lead merchants to authorize, and what became of them. */
@Controller('admin/wechat/authorization-links')
export class LinksController {
  constructor(
    private readonly links: AuthorizationLinks,
    private readonly store: LinkStore,
    private readonly bindings: LinkBindings,
  ) {}

  @Post()
  @ApiOperation({
    summary: "Make a link for a merchant to authorize with; also WeChat's own pages, with a code fetched now",
  })
  @ApiCreatedResponse({ standardSchema: newLinkAnswer, description: 'The link' })
  @ApiResponse({ status: 502, description: 'WeChat refused; the code is its errcode' })
  @ApiResponse({ status: 503, description: 'WeChat cannot be reached' })
  @Audited('link.create', { made: 'id' })
  @RequireRole('operator')
  async create(@Body({ schema: wish }) body: z.infer<typeof wish>, @Caller() { name }: AccessCaller) {
    const { tenantId = null, state = null, authType = null, authorizerAppId = null } = body ?? {};
    const { returnUrl = null, permissionIds = [] } = body ?? {};
    const { link, pages } = await this.links.create(
      { tenantId, state, authType, requestedAppId: authorizerAppId, returnUrl, permissionIds },
      name,
    );
    const { id, expiresAt, status } = link;
    return { id, url: this.links.urlOf(id), ...pages, expiresAt, status };
  }

  @Get()
  @ApiOperation({ summary: 'Links for merchants, and what became of them' })
  @ApiOkResponse({ standardSchema: pageOfAnswers(linkAnswer), description: 'One page, the newest first' })
  @RequireRole('viewer')
  async list(@Query({ schema: listQuery }) { cursor, limit, ...filter }: z.infer<typeof listQuery>) {
    const pages = newestFirst.of(filter, cursor);
    const rows = await this.store.list({ ...filter, after: pages.after?.[0], limit: limit + 1 });
    return pages.answer(
      rows,
      limit,
      (link) => this.shown(link),
      ({ position }) => [position],
    );
  }

  @Post(':id/resolve')
  @ApiOperation({ summary: 'Decide about an account that came with a link and was not bound by it' })
  @ApiOkResponse({ standardSchema: linkAnswer, description: 'The link' })
  @ApiResponse({ status: 409, description: 'Nothing is to be decided about this account' })
  @Audited('link.resolve', { param: 'id' })
  @HttpCode(200)
  @RequireRole('operator')
  async resolve(
    @Param('id') id: string,
    @Body({ schema: decision }) { authorizerAppId, resolution }: z.infer<typeof decision>,
    @Caller() { name }: AccessCaller,
  ) {
    const link = await this.links.find(id);
    await this.bindings.resolve(link.id, authorizerAppId, resolution, name);
    const listed = await this.store.findListed(link.id);
    if (!listed) throw new AuthorizerError('UNKNOWN_LINK');
    return this.shown(listed);
  }

  private shown(link: ListedLink) {
    const { id, status, tenantId, state, authType, permissionIds, returnUrl, conflicts } = link;
    const { createdBy, createdAt, expiresAt, completedAt, completedAppId, requestedAppId } = link;
    return {
      ...{ id, url: this.links.urlOf(id), status, tenantId, state, authType },
      // What was asked for; once completed, who came.
      authorizerAppId: completedAppId ?? requestedAppId,
      ...{ permissionIds, returnUrl, createdBy, createdAt, expiresAt, completedAt },
      authorizer: completedAppId && { appId: completedAppId, nickName: link.nickName, status: link.authorizerStatus },
      conflicts,
    };
  }
}

function isWebAddress(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}
