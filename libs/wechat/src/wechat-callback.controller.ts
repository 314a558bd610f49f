import { applyDecorators, Body, Controller, Get, HttpCode, Inject, Ip, Post, Query } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { Public } from '@app/access';
import { EventOutbox } from '@app/events';
import { CryptoService, type PushSignature } from './crypto.service.js';
import { EventParserService } from './event-parser.service.js';
import { PushRejected } from './rejection.js';
import { RejectionLog } from './rejection-log.js';
import { PushCounters } from './push-counters.js';
import { WECHAT_OPTIONS, type WechatOptions } from './wechat.options.js';

type Parameters = Readonly<Record<string, string | string[] | undefined>>;

const ENVELOPE = '<xml><AppId><![CDATA[wx5a0d60c8f1e2b347]]></AppId><Encrypt><![CDATA[…]]></Encrypt></xml>';
const parameter = (name: string, description: string) =>
  ApiQuery({ name, description, required: true, schema: { type: 'string' } });
const SIGNED = applyDecorators(
  parameter('signature', 'Sent by WeChat, and not relied on: it does not cover the ciphertext'),
  parameter('timestamp', 'Seconds since 1970, ten digits'),
  parameter('nonce', 'Any text'),
  parameter('encrypt_type', 'aes'),
  parameter('msg_signature', 'SHA-1 over token, timestamp, nonce and ciphertext'),
);

/** Where WeChat pushes to, and what load balancers probe. */
@Public()
@Controller('social/with/wechat/receiveEvent')
export class WechatCallbackController {
  constructor(
    @Inject(WECHAT_OPTIONS) private readonly platform: WechatOptions,
    private readonly crypto: CryptoService,
    private readonly parser: EventParserService,
    private readonly outbox: EventOutbox,
    private readonly rejections: RejectionLog,
    private readonly counters: PushCounters,
  ) {}

  /**
   * Answers `success` once the event is durable, and never before.
   *
   * @throws PushRejected for a push that is not authentic or not an event
   * @throws EventsError STORE_UNAVAILABLE within 4 s when it could not be stored, so that WeChat counts the push as failed
   */
  @Post()
  @ApiOperation({ summary: 'What WeChat pushes, sealed and signed' })
  @SIGNED
  @ApiConsumes('text/xml')
  @ApiBody({ schema: { type: 'string', example: ENVELOPE } })
  @ApiOkResponse({
    description: 'The event is stored',
    content: { 'text/plain': { schema: { type: 'string', enum: ['success'] } } },
  })
  @ApiResponse({ status: 400, description: 'Not an authentic push of an event' })
  @ApiResponse({ status: 401, description: 'The signature does not match, or the timestamp is too far from our clock' })
  @ApiResponse({ status: 413, description: 'The body is larger than 64 KiB' })
  @ApiResponse({ status: 503, description: 'The event could not be stored; push it again' })
  @HttpCode(200)
  async receiveEvent(
    @Query() query: Parameters,
    @Body() body: unknown,
    @Ip() remoteAddress: string,
  ): Promise<'success'> {
    try {
      const { ciphertext } = this.parser.parseEnvelope(typeof body === 'string' ? body : '');
      const { xml: content, tokenIndex, keyIndex } = this.crypto.open(ciphertext, readSignature(query));
      const event = this.parser.parse(content);
      const stored = await this.outbox.publishPush({ ...event, componentAppId: this.platform.appId, content });
      this.counters.received(event.infoType, stored !== null, tokenIndex, keyIndex);
      return 'success';
    } catch (error) {
      if (error instanceof PushRejected) this.rejections.record(error.reason, remoteAddress, body, query.timestamp);
      throw error;
    }
  }

  /** A bare probe is answered with an empty 200; an `echostr` with its echo, when it is signed. */
  @Get()
  @ApiOperation({ summary: 'Whether this is the address to push to' })
  @ApiOkResponse({ description: 'Empty, or the echo', content: { 'text/plain': { schema: { type: 'string' } } } })
  @ApiQuery({ name: 'echostr', required: false, schema: { type: 'string' }, description: 'Sealed text to give back' })
  @ApiResponse({ status: 400, description: 'The echo cannot be opened' })
  @ApiResponse({ status: 401, description: 'The signature does not match' })
  verifyUrl(@Query() query: Parameters): string {
    if (query.echostr === undefined) return '';
    return this.crypto.openEcho(only(query.echostr), readSignature(query));
  }
}

function readSignature(query: Parameters): PushSignature {
  return {
    signature: only(query.signature),
    timestamp: only(query.timestamp),
    nonce: only(query.nonce),
    encryptType: only(query.encrypt_type),
    msgSignature: only(query.msg_signature),
  };
}

/** A parameter that is given twice is as good as none: nobody could say which of them was signed. */
function only(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}
