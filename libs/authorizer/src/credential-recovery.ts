import { Injectable } from '@nestjs/common';
import { PlatformCredentialService, WechatApiError, WechatClient } from '@app/wechat';
import { type Credential } from './credential.js';

/** Finds the credential of an account again when its code is spent. */
@Injectable()
export class CredentialRecovery {
  constructor(
    private readonly client: WechatClient,
    private readonly platform: PlatformCredentialService,
  ) {}

  /**
   * Looks for the refresh token in the account's information, and fetches an access token with it; null when there is none that
   * works, so that only the list of all accounts may help.
   *
   * @throws WechatApiError, WechatUnavailable when WeChat could not be asked
   */
  async recover(appId: string): Promise<Credential | null> {
    const profile = await this.unlessRefused(() =>
      this.platform.call((token) => this.client.authorizerInfo(token, appId)),
    );
    const refreshToken = profile?.refreshToken;
    if (!refreshToken) return null;
    const granted = await this.unlessRefused(() =>
      this.platform.call((token) => this.client.authorizerToken(token, appId, refreshToken)),
    );
    return (
      granted && {
        accessToken: granted.accessToken,
        accessTokenExpiresAt: new Date(Date.now() + granted.expiresInSeconds * 1000),
        refreshToken: granted.refreshToken ?? refreshToken,
        permissionIds: profile.permissionIds,
      }
    );
  }

  /** "Not authorized" and its like are an answer here, not a failure. */
  private async unlessRefused<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof WechatApiError && error.reaction === 'reauthorize') return null;
      throw error;
    }
  }
}
