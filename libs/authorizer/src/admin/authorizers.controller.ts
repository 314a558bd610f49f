import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { RequireRole } from '@app/access';
import { ACCOUNT_TYPES, ATTENTIONS } from '@app/events';
import { z } from 'zod';
import { AUTHORIZER_STATUSES } from '../authorizer.entity.js';
import { AuthorizerService } from '../authorizer.service.js';
import { authorizerAnswer, pageOfAnswers } from './answers.js';
import { BIGINT, cursor, limit, PagedList, TEXT, wholeNumber } from './cursor.js';

/** What the list can be narrowed by. */
export const filters = {
  status: z.enum(AUTHORIZER_STATUSES).optional().describe('Whether the account is authorized'),
  accountType: z.enum(ACCOUNT_TYPES).optional().describe('What kind of account it is'),
  permission: wholeNumber(0, 2_147_483_647).optional().describe('The id of a permission set that is granted'),
  tenantId: z.string().min(1).max(200).optional().describe('The tenant it is bound to'),
  attention: z.enum(ATTENTIONS).optional().describe('Why a person must act'),
  q: z
    .string()
    .trim()
    .min(1, 'must not be blank')
    .max(100)
    .optional()
    .describe('The beginning of its nick name, principal, appid or user name'),
};
const listQuery = z.strictObject({ ...filters, limit, cursor: cursor.optional() });
const newestFirst = new PagedList('authorizers', BIGINT);
const byName = new PagedList('authorizers by name', TEXT, BIGINT);

/** Who has authorized the platform. */
@Controller('admin/wechat/authorizers')
@RequireRole('viewer')
export class AuthorizersController {
  constructor(private readonly authorizers: AuthorizerService) {}

  @Get()
  @ApiOperation({
    summary: 'Who has authorized the platform',
    description:
      'In order of the name that q found, else the last to become known first. A page may be shorter than its limit although there is a next one.',
  })
  @ApiOkResponse({ standardSchema: pageOfAnswers(authorizerAnswer), description: 'One page' })
  async list(@Query({ schema: listQuery }) { cursor, limit, ...filter }: z.infer<typeof listQuery>) {
    const pages = (filter.q === undefined ? newestFirst : byName).of(filter, cursor);
    const { authorizers, next } = await this.authorizers.list({ ...filter, limit, after: pages.after });
    return { items: authorizers, nextCursor: next && pages.cursorAt(next) };
  }

  @Get(':appId')
  @ApiOperation({ summary: 'One authorizer' })
  @ApiOkResponse({ standardSchema: authorizerAnswer, description: 'The authorizer' })
  find(@Param('appId') appId: string) {
    return this.authorizers.find(appId);
  }
}
