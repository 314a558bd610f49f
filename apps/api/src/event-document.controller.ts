import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Public } from '@app/access';
import { describeEvents } from '@app/events';

const VERSION = '1.0.0';

const ASYNC_API = {
  type: 'object' as const,
  required: ['asyncapi', 'info', 'channels'],
  properties: { asyncapi: { type: 'string' as const }, info: { type: 'object' as const } },
  example: { asyncapi: '3.0.0', info: { title: 'Events', version: VERSION }, channels: {} },
};

/** What other services may receive, for people and generators to read. */
@Public()
@Controller('docs')
export class EventDocumentController {
  private readonly document = describeEvents(VERSION);

  @Get('events')
  @ApiOperation({ summary: 'Every event with its schema and an example, as an AsyncAPI 3 document' })
  @ApiOkResponse({ description: 'AsyncAPI 3', content: { 'application/json': { schema: ASYNC_API } } })
  events(): object {
    return this.document;
  }
}
