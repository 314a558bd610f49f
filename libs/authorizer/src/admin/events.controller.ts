import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { RequireRole } from '@app/access';
import { EventLog, PUSH_STATUSES, type PushDetail, type PushFilter, type PushRecord } from '@app/events';
import { WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { z } from 'zod';
import { AuthorizerService } from '../authorizer.service.js';
import { pageOfAnswers, pushAnswer, pushDetailAnswer } from './answers.js';
import { BIGINT, cursor, instant, limit, MILLISECONDS, PagedList } from './cursor.js';

/** Takes the place of a secret in every answer; its length says nothing. */
const MASK = '***';

const page = { limit, cursor: cursor.optional() };
const pushes = new PagedList('events', MILLISECONDS, BIGINT);

const listQuery = z.strictObject({
  infoType: z.string().min(1).max(1024).optional().describe("WeChat's name for what happened, such as unauthorized"),
  appId: z.string().min(1).max(128).optional().describe('The appid of the authorizer it is about'),
  status: z.enum(PUSH_STATUSES).optional().describe('What became of it'),
  from: instant.optional().describe('Received at or after this time, ISO 8601'),
  to: instant.optional().describe('Received before this time, ISO 8601'),
  ...page,
});
const pageQuery = z.strictObject(page);

type ListQuery = Omit<PushFilter, 'componentAppId' | 'after'> & z.infer<typeof pageQuery>;

/** What WeChat pushed. */
@Controller('admin/wechat')
@RequireRole('viewer')
export class EventsController {
  constructor(
    @Inject(WECHAT_OPTIONS) private readonly platform: WechatOptions,
    private readonly log: EventLog,
    private readonly authorizers: AuthorizerService,
  ) {}

  @Get('events')
  @ApiOperation({ summary: 'Every push of WeChat' })
  @ApiOkResponse({ standardSchema: pageOfAnswers(pushAnswer), description: 'One page, the newest first' })
  list(@Query({ schema: listQuery }) { appId, ...query }: z.infer<typeof listQuery>) {
    return this.page({ ...query, authorizerAppId: appId });
  }

  @Get('events/:id')
  @ApiOperation({ summary: 'One push with its fields and its deliveries' })
  @ApiOkResponse({ standardSchema: pushDetailAnswer, description: 'The push, its fields and who was told' })
  async find(@Param('id') id: string) {
    const push = await this.log.findPush(this.platform.appId, id);
    return { ...shown(push), fields: masked(push), deliveries: push.deliveries };
  }

  @Get('authorizers/:appId/events')
  @ApiOperation({ summary: 'What was pushed about one authorizer' })
  @ApiOkResponse({ standardSchema: pageOfAnswers(pushAnswer), description: 'One page, the newest first' })
  async listOfAuthorizer(
    @Param('appId') appId: string,
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
  ) {
    await this.authorizers.find(appId);
    return this.page({ ...query, authorizerAppId: appId });
  }

  private async page({ cursor, limit, ...filter }: ListQuery) {
    const pages = pushes.of(filter, cursor);
    const after = pages.after && { receivedAt: new Date(Number(pages.after[0])), position: pages.after[1]! };
    const { appId: componentAppId } = this.platform;
    const rows = await this.log.listPushes({ ...filter, componentAppId, after, limit: limit + 1 });
    return pages.answer(rows, limit, shown, ({ receivedAt, position }) => [String(receivedAt.getTime()), position]);
  }
}

function shown({
  id,
  infoType,
  authorizerAppId,
  createTime,
  receivedAt,
  status,
  attempts,
  lastError,
  processedAt,
}: PushRecord) {
  return { id, infoType, authorizerAppId, createTime, receivedAt, status, attempts, lastError, processedAt };
}

function masked({ fields, secretNames }: PushDetail): Record<string, unknown> {
  return { ...fields, ...Object.fromEntries(secretNames.map((name) => [name, MASK])) };
}
