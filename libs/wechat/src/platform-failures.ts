import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { WechatApiError, WechatUnavailable } from './client/wechat-errors.js';
import { PlatformCredentialEntity, type PlatformFailure } from './platform-credential.entity.js';
import { WECHAT_OPTIONS, type WechatOptions } from './wechat.options.js';

/** Who was refused a token by WeChat asks again after this, or with the next ticket: secret, whitelist or quota do not mend at once. */
const ASK_AGAIN_AFTER_MS = 30 * 1000;
/** What another process noted, and did not live to clear, is cleared by the calls of this one within so long. */
const LOOK_AGAIN_MS = 60 * 1000;
/** A note is not worth waiting for who renews the token. */
const LOCK_TIMEOUT_MS = 500;

/** Keeps, for the operator, why WeChat refuses the platform as such or does not answer, until a call goes through. */
@Injectable()
export class PlatformFailures {
  private readonly logger = new Logger(PlatformFailures.name);
  private readonly appId: string;
  private isOutageNoted = false;
  /** On the clock of `performance`: until then nothing is noted, as far as we know. */
  private clearUntil = 0;

  constructor(
    @Inject(WECHAT_OPTIONS) options: WechatOptions,
    private readonly dataSource: DataSource,
  ) {
    this.appId = options.appId;
  }

  /** Notes what an operator has to know of a call that failed. Never rejects: the caller has an error already. */
  async hear(error: unknown): Promise<void> {
    const isRefusal = error instanceof WechatApiError && error.reaction === 'configuration';
    // Once for each outage: the first call that goes through again clears it.
    const isOutage = error instanceof WechatUnavailable && error.kind !== 'aborted' && !this.isOutageNoted;
    if (!isRefusal && !isOutage) return;
    this.clearUntil = 0;
    this.isOutageNoted ||= isOutage;
    if (isRefusal) this.logger.error(`WeChat refuses the platform: ${error.message}. ${error.advice}`);
    await this.write((tx) => this.note(tx, error));
  }

  /** A call went through, and what was noted before it is over. What the fetching of tokens failed of is not told by that. Never rejects: the caller has its answer. */
  async clear(): Promise<void> {
    if (performance.now() < this.clearUntil) return;
    this.clearUntil = performance.now() + LOOK_AGAIN_MS;
    this.isOutageNoted = false;
    const began = new Date();
    await this.write((tx) =>
      tx.query(
        `update platform_credential set last_failure = null, last_failure_at = null
         where component_app_id = $1 and last_failure ->> 'api' <> 'api_component_token' and last_failure_at <= $2`,
        [this.appId, began],
      ),
    );
  }

  /** Notes the failure within the caller's transaction. */
  async note(tx: EntityManager, error: unknown): Promise<void> {
    const lastFailure: PlatformFailure =
      error instanceof WechatApiError
        ? { api: error.api, errcode: error.errcode, advice: error.advice, requestIp: error.requestIp }
        : { api: apiOf(error), errcode: null, advice: (error as Error).message, requestIp: null };
    await tx.update(
      PlatformCredentialEntity,
      { componentAppId: this.appId },
      { lastFailure, lastFailureAt: new Date() },
    );
  }

  private async write(work: (tx: EntityManager) => Promise<unknown>): Promise<void> {
    const written = this.dataSource.transaction(async (tx) => {
      await tx.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await work(tx);
    });
    await written.catch((error: Error) => {
      this.clearUntil = 0;
      this.isOutageNoted = false;
      this.logger.warn(`How WeChat answers was not noted: ${error.message}`);
    });
  }
}

/** Why WeChat refused a token so lately that it is not to be asked again yet, by whatever process. */
export function recentRefusal({
  lastFailure,
  lastFailureAt,
  ticketReceivedAt,
}: PlatformCredentialEntity): WechatApiError | null {
  if (lastFailure?.api !== 'api_component_token' || lastFailure.errcode === null || lastFailureAt === null) return null;
  const isRecent = Date.now() - lastFailureAt.getTime() < ASK_AGAIN_AFTER_MS;
  const hasNewTicket = ticketReceivedAt !== null && ticketReceivedAt > lastFailureAt;
  return isRecent && !hasNewTicket ? new WechatApiError(lastFailure.api, lastFailure.errcode, '') : null;
}

function apiOf(error: unknown): string {
  return error instanceof WechatUnavailable ? error.api : 'api_component_token';
}
