import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AuthorizerProfiles } from '../authorizer-profiles.js';
import { AuthorizerError } from '../authorizer.errors.js';
import { AuthorizerRecords } from '../authorizer-records.js';
import { AuthorizerTokenService } from '../authorizer-token.service.js';
import { RecentlyAsked } from './recently-asked.js';

const LOOK_EVERY_MS = 60_000;
/** An account counts as active for this long after its token was asked for. */
const ACTIVE_MS = 60 * 60 * 1000;
const RENEW_AHEAD_MS = 15 * 60 * 1000;
const PROFILE_LIFE_MS = 24 * 3600 * 1000;

/**
 * Renews the tokens of active accounts before they end, and reads their profiles again once a day, one after another so that callers
 * who wait always come first. Accounts nobody asks for cost nothing.
 */
@Injectable()
export class TokenKeeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(TokenKeeper.name);
  private timer: NodeJS.Timeout | null = null;
  private keeping: Promise<void> | null = null;
  private isStopping = false;

  constructor(
    private readonly asked: RecentlyAsked,
    private readonly tokens: AuthorizerTokenService,
    private readonly records: AuthorizerRecords,
    private readonly profiles: AuthorizerProfiles,
  ) {}

  onApplicationBootstrap(): void {
    // Every process at its own pace: mostly one has renewed a token before the others look at it.
    const every = LOOK_EVERY_MS * (0.8 + Math.random() * 0.4);
    this.timer = setInterval(() => {
      this.keeping ??= this.keep().finally(() => {
        this.keeping = null;
      });
    }, every).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    if (this.timer) clearInterval(this.timer);
    await this.keeping;
  }

  /** Renews what is due. */
  async keep(): Promise<void> {
    for (const appId of this.asked.due(ACTIVE_MS, RENEW_AHEAD_MS)) {
      if (this.isStopping) return;
      await this.keepOne(appId).catch((error: Error) => {
        const isHopeless = error instanceof AuthorizerError && error.retryAfterSeconds === undefined;
        if (isHopeless) this.asked.forget(appId);
        this.logger.warn(`The token of ${appId} was not renewed ahead: ${error.message}`);
      });
    }
  }

  private async keepOne(appId: string): Promise<void> {
    await this.tokens.renew(appId, RENEW_AHEAD_MS);
    const record = await this.records.find(appId);
    const age = Date.now() - (record?.profileSyncedAt?.getTime() ?? 0);
    if (record?.status === 'authorized' && age > PROFILE_LIFE_MS) await this.profiles.refresh(appId);
  }
}
