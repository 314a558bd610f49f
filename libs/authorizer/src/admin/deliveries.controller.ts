import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { RequireRole } from '@app/access';
import { DELIVERY_STATES, DeliveryDesk, type DeliveryOfEvent } from '@app/events';
import { WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { z } from 'zod';
import { Audited } from '../audit/audited.decorator.js';
import { deliveriesAnswer, deliveryAnswer, pageOfAnswers } from './answers.js';
import { BIGINT, cursor, limit, PagedList } from './cursor.js';

const subscriber = z.string().regex(/^[^\0]{1,200}$/u, 'must be the name of a subscriber');

const listQuery = z.strictObject({
  status: z.enum(DELIVERY_STATES).default('dead').describe('How far it has come'),
  subscriber: subscriber.optional().describe('Whom it is for'),
  limit,
  cursor: cursor.optional(),
});
const deliveries = new PagedList('deliveries', BIGINT);
const retryAllBody = z.strictObject({ subscriber });
const replayBody = z.strictObject({ subscribers: z.array(subscriber).min(1).max(100).optional() }).nullish();

/** How the telling of events goes, and what an operator may do when it went wrong. */
@Controller('admin/wechat')
@RequireRole('viewer')
export class DeliveriesController {
  constructor(
    @Inject(WECHAT_OPTIONS) private readonly platform: WechatOptions,
    private readonly desk: DeliveryDesk,
  ) {}

  @Get('deliveries')
  @ApiOperation({
    summary: 'Deliveries of events to subscribers; those that were given up, unless another status is asked for',
  })
  @ApiOkResponse({ standardSchema: pageOfAnswers(deliveryAnswer), description: 'One page, the newest first' })
  async list(@Query({ schema: listQuery }) query: z.infer<typeof listQuery>) {
    const { cursor, limit, ...filter } = query;
    const pages = deliveries.of(filter, cursor);
    const { appId: componentAppId } = this.platform;
    const rows = await this.desk.list({ ...filter, componentAppId, after: pages.after?.[0], limit: limit + 1 });
    return pages.answer(rows, limit, shown, ({ id }) => [id]);
  }

  @Post('deliveries/retry')
  @ApiOperation({ summary: 'Try all that one subscriber gave up again' })
  @ApiAcceptedResponse({ standardSchema: deliveriesAnswer, description: 'How many are tried again' })
  @Audited('delivery.retry_all', { field: 'subscriber' })
  @RequireRole('operator')
  @HttpCode(202)
  async retryAll(@Body({ schema: retryAllBody }) { subscriber }: z.infer<typeof retryAllBody>) {
    return { deliveries: await this.desk.retryAll(this.platform.appId, subscriber) };
  }

  @Post('deliveries/:id/retry')
  @ApiOperation({ summary: 'Try one that was given up again' })
  @ApiAcceptedResponse({ standardSchema: deliveriesAnswer, description: 'It is tried again' })
  @ApiResponse({ status: 409, description: 'It is not dead' })
  @Audited('delivery.retry', { param: 'id' })
  @RequireRole('operator')
  @HttpCode(202)
  async retry(@Param('id') id: string) {
    await this.desk.retry(this.platform.appId, id);
    return { deliveries: 1 };
  }

  @Post('events/:id/replay')
  @ApiOperation({ summary: 'Have an event handled again, by everybody or by the subscribers named' })
  @ApiAcceptedResponse({ standardSchema: deliveriesAnswer, description: 'How many subscribers are told again' })
  @ApiResponse({ status: 409, description: 'There is nothing to handle again' })
  @Audited('event.replay', { param: 'id' })
  @RequireRole('operator')
  @HttpCode(202)
  async replay(@Param('id') id: string, @Body({ schema: replayBody }) body: z.infer<typeof replayBody>) {
    return { deliveries: await this.desk.replay(this.platform.appId, id, body?.subscribers) };
  }
}

function shown(delivery: DeliveryOfEvent) {
  const ageSeconds = Math.max(0, Math.floor((Date.now() - delivery.createdAt.getTime()) / 1000));
  return { ...delivery, ageSeconds };
}
