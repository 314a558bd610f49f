import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { WakeUpListener } from '@app/events';
import { PlatformCredentialService, WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { AuthorizerTokenService } from '../authorizer-token.service.js';
import { TokenCache } from './token-cache.js';

/** Hears of every change to a credential, the platform's own too, whichever process made it, and drops what memory holds of it. */
@Injectable()
export class CredentialWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly listener: WakeUpListener;
  private readonly appId: string;
  private readonly prefix: string;

  constructor(
    @Inject(WECHAT_OPTIONS) { appId }: WechatOptions,
    dataSource: DataSource,
    private readonly tokens: AuthorizerTokenService,
    private readonly cache: TokenCache,
    private readonly platform: PlatformCredentialService,
  ) {
    this.appId = appId;
    this.prefix = `${appId} `;
    this.listener = new WakeUpListener(
      urlOf(dataSource.options),
      'credential',
      (payload) => this.hear(payload),
      () => this.cache.close(),
    );
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.listener.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.cache.close();
    await this.listener.stop();
  }

  private hear(payload: string | null): void {
    if (payload === null) this.cache.open();
    if (payload === null || payload === this.appId) this.platform.forget();
    else if (payload.startsWith(this.prefix)) this.tokens.forget(payload.slice(this.prefix.length));
  }
}

function urlOf(options: DataSourceOptions): string {
  if (options.type !== 'postgres' || !options.url) throw new Error('The DataSource must be given by a PostgreSQL URL');
  return options.url;
}
