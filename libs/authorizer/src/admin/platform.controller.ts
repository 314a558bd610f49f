import { Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { RequireRole } from '@app/access';
import { adviceOn, RejectionLog, type RejectionRecord, WechatClient } from '@app/wechat';
import { z } from 'zod';
import { Audited } from '../audit/audited.decorator.js';
import { PlatformStatus } from '../platform-status.js';
import { BIGINT, cursor, limit, PagedList } from './cursor.js';
import { platformAnswer, rejectionsAnswer, ticketPushingAnswer } from './platform-answers.js';

const refusedQuery = z.strictObject({ limit, cursor: cursor.optional() });
const refused = new PagedList('rejections', BIGINT);

/** How the platform as a whole is. */
@Controller('admin/wechat')
@RequireRole('viewer')
export class PlatformController {
  constructor(
    private readonly status: PlatformStatus,
    private readonly rejections: RejectionLog,
    private readonly wechat: WechatClient,
  ) {}

  @Get('platform')
  @ApiOperation({ summary: 'Whether authorization works, and if not, why' })
  @ApiOkResponse({ standardSchema: platformAnswer, description: 'How it is, and why' })
  platform() {
    return this.status.read();
  }

  @Get('rejections')
  @ApiOperation({ summary: 'The last refused pushes, and how often each reason has occurred' })
  @ApiOkResponse({ standardSchema: rejectionsAnswer, description: 'The last 200, and counts by reason' })
  async refused(@Query({ schema: refusedQuery }) { limit, cursor }: z.infer<typeof refusedQuery>) {
    const pages = refused.of({}, cursor);
    const [latest, counts] = await Promise.all([
      this.rejections.list(limit + 1, pages.after?.[0] ?? null),
      this.rejections.countByReason(),
    ]);
    const shown = ({ id: _, ...rejection }: RejectionRecord) => ({ ...rejection, check: adviceOn(rejection.reason) });
    return {
      ...pages.answer(latest, limit, shown, ({ id }) => [id]),
      counts: counts.map((count) => ({ ...count, check: adviceOn(count.reason) })),
    };
  }

  @Post('platform/start-push-ticket')
  @ApiOperation({
    summary: 'Ask WeChat to begin pushing tickets, or to go on',
    description: 'The first comes within ten minutes.',
  })
  @ApiOkResponse({ standardSchema: ticketPushingAnswer, description: 'Whether it was on already' })
  @ApiResponse({ status: 502, description: 'WeChat refused; the code is its errcode' })
  @ApiResponse({ status: 503, description: 'WeChat cannot be reached' })
  @HttpCode(200)
  @RequireRole('operator')
  @Audited('platform.start_push_ticket')
  async startPushTicket() {
    return { pushing: await this.wechat.startPushTicket() };
  }
}
