import { Inject, Injectable } from '@nestjs/common';
import { isLockTimeout } from '@app/events';
import { Keyring } from '@app/keyring';
import { spendReport, WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { DataSource } from 'typeorm';
import { AuthorizerCredentialEntity } from '../authorizer-credential.entity.js';

/** Whoever holds the row for longer is refreshing the token. */
const REPORT_LOCK_TIMEOUT_MS = 500;

const NO_TOKEN = { accessToken: null, accessTokenExpiresAt: null, accessTokenIssuedAt: null };

/** Ends access tokens that callers report as dead. */
@Injectable()
export class ReportedTokens {
  private readonly componentAppId: string;

  constructor(
    @Inject(WECHAT_OPTIONS) platform: WechatOptions,
    private readonly dataSource: DataSource,
    private readonly keyring: Keyring,
  ) {
    this.componentAppId = platform.appId;
  }

  /**
   * Ends this access token, and no newer one, unless too many of this account have been reported lately (see `spendReport`). `busy`: another
   * process holds the row and is about to replace the token, or to find that it cannot.
   */
  async expire(appId: string, accessToken: string): Promise<'expired' | 'kept' | 'busy'> {
    const key = { componentAppId: this.componentAppId, appId };
    // Sealing anew changes the text and not the token: then it is worth a second look.
    for (let look = 0; look < 2; look += 1) {
      const row = await this.dataSource.manager.findOneBy(AuthorizerCredentialEntity, key);
      if (!row?.accessToken || this.open(row.accessToken, appId) !== accessToken) return 'kept';
      const reportsSpentUntil = spendReport(row.reportsSpentUntil);
      if (!reportsSpentUntil) return 'kept';
      const outcome = await this.expireSealed(appId, row.accessToken, reportsSpentUntil);
      if (outcome) return outcome;
    }
    return 'kept';
  }

  private async expireSealed(
    appId: string,
    accessToken: string,
    reportsSpentUntil: Date,
  ): Promise<'expired' | 'busy' | null> {
    try {
      return await this.dataSource.transaction(async (tx) => {
        await tx.query(`set local lock_timeout = ${REPORT_LOCK_TIMEOUT_MS}`);
        const { affected } = await tx.update(
          AuthorizerCredentialEntity,
          { componentAppId: this.componentAppId, appId, accessToken },
          { ...NO_TOKEN, reportsSpentUntil, updatedAt: new Date() },
        );
        return affected === 1 ? 'expired' : null;
      });
    } catch (error) {
      if (isLockTimeout(error)) return 'busy';
      throw error;
    }
  }

  private open(sealed: string, appId: string): string {
    return this.keyring.open(sealed, `authorizer_credential.access_token:${this.componentAppId}:${appId}`);
  }
}
