import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { WechatClient } from './client/wechat-client.js';
import { CryptoService } from './crypto.service.js';
import { EventParserService } from './event-parser.service.js';
import { PlatformCredentialService } from './platform-credential.service.js';
import { PlatformFailures } from './platform-failures.js';
import { PlatformTickets } from './platform-tickets.js';
import { PushCounters } from './push-counters.js';
import { RejectionLog } from './rejection-log.js';
import { WechatCallbackController } from './wechat-callback.controller.js';
import { WECHAT_OPTIONS, type WechatOptions } from './wechat.options.js';

/** WeChat's protocol, in both directions. Needs the events module, a TypeORM DataSource, a Keyring and a metrics registry. */
@Module({})
export class WechatModule implements OnApplicationShutdown {
  constructor(@Inject(WechatClient) private readonly client: WechatClient) {}

  static register(options: WechatOptions): DynamicModule {
    return {
      module: WechatModule,
      global: true,
      controllers: [WechatCallbackController],
      providers: [
        { provide: WECHAT_OPTIONS, useValue: options },
        { provide: CryptoService, useFactory: () => cryptoOf(options) },
        { provide: WechatClient, useFactory: () => clientOf(options) },
        EventParserService,
        PlatformCredentialService,
        PlatformFailures,
        PlatformTickets,
        PushCounters,
        RejectionLog,
      ],
      exports: [WECHAT_OPTIONS, WechatClient, PlatformCredentialService, RejectionLog],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}

function cryptoOf({ appId, tokens, encodingAesKeys, pushMaxAge }: WechatOptions): CryptoService {
  return new CryptoService({ componentAppId: appId, tokens, encodingAesKeys, pushMaxAgeSeconds: pushMaxAge });
}

function clientOf({ appId, appSecret, apiBaseUrl }: WechatOptions): WechatClient {
  return new WechatClient({ baseUrl: apiBaseUrl, componentAppId: appId, componentAppSecret: appSecret });
}
