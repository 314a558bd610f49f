import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Keyring } from '@app/keyring';
import { WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { DataSource } from 'typeorm';
import { AuthorizerError } from '../authorizer.errors.js';
import { type AuthorizationLink, LinkStore, type LinkWish } from './link-store.js';
import { LINKS_OPTIONS, type LinksOptions } from './links.options.js';
import { type PreAuthCode, PreAuthCodes } from './pre-auth-codes.js';
import { type WechatPages, wechatPages } from './wechat-pages.js';

const DAYS_GOOD = 7;
/** Who started before the link expired may still come back: a pre-auth code and an authorization code live about as long. */
const COMING_BACK_MS = 2 * 3600 * 1000;
const LINK_ID = /^[\w-]{32}$/;

/** A link with WeChat's pages for it, good until the code in them is used or ends. */
export interface OpenedLink {
  readonly link: AuthorizationLink;
  readonly pages: WechatPages;
  readonly codeExpiresAt: Date;
}

/** Links that an operator sends to a merchant: our page, which leads to WeChat's and brings the account home to its tenant. */
@Injectable()
export class AuthorizationLinks {
  constructor(
    @Inject(WECHAT_OPTIONS) private readonly platform: WechatOptions,
    @Inject(LINKS_OPTIONS) private readonly options: LinksOptions,
    private readonly dataSource: DataSource,
    private readonly keyring: Keyring,
    private readonly store: LinkStore,
    private readonly codes: PreAuthCodes,
  ) {}

  /** Makes a link with a code fetched now. When WeChat gives none, there is no link either. */
  async create(wish: LinkWish, operator: string): Promise<OpenedLink> {
    const code = await this.codes.fetch();
    const id = randomBytes(24).toString('base64url');
    const redirectToken = this.keyring.seal(randomBytes(24).toString('base64url'), this.tokenContext(id));
    const link = await this.dataSource.transaction(async (tx) => {
      const link = await this.store.insert(tx, {
        ...wish,
        id,
        redirectToken,
        createdBy: operator,
        daysGood: DAYS_GOOD,
      });
      await this.codes.keepFirst(tx, id, code);
      return link;
    });
    return this.opened(link, code);
  }

  /** @throws AuthorizerError UNKNOWN_LINK */
  async find(id: string): Promise<AuthorizationLink> {
    const link = LINK_ID.test(id) ? await this.store.find(id) : null;
    if (!link) throw new AuthorizerError('UNKNOWN_LINK');
    return link;
  }

  /** WeChat's pages for a pending link, with a code that is good for a while. */
  async open(link: AuthorizationLink, { renew }: { renew: boolean }): Promise<OpenedLink> {
    return this.opened(link, await this.codes.obtain(link.id, { renew }));
  }

  /** The link a browser comes home from, if it proves that with the token WeChat's page was given. */
  async returnedFrom(id: string, token: string): Promise<AuthorizationLink | null> {
    const link = LINK_ID.test(id) ? await this.store.find(id) : null;
    if (!link || !isSame(token, this.redirectTokenOf(link))) return null;
    return Date.now() < link.expiresAt.getTime() + COMING_BACK_MS ? link : null;
  }

  /** Our page of the link. */
  urlOf(id: string): string {
    return `${this.options.publicBaseUrl}/social/with/wechat/authorize/${id}`;
  }

  private opened(link: AuthorizationLink, { code, expiresAt }: PreAuthCode): OpenedLink {
    const home = new URLSearchParams({ link: link.id, token: this.redirectTokenOf(link) });
    const pages = wechatPages(this.options.pagesStandIn, {
      componentAppId: this.platform.appId,
      preAuthCode: code,
      redirectUri: `${this.options.publicBaseUrl}/social/with/wechat/authorized?${home.toString()}`,
      authType: link.authType,
      authorizerAppId: link.requestedAppId,
      permissionIds: link.permissionIds,
    });
    return { link, pages, codeExpiresAt: expiresAt };
  }

  private redirectTokenOf({ id, redirectToken }: AuthorizationLink): string {
    return this.keyring.open(redirectToken, this.tokenContext(id));
  }

  private tokenContext(id: string): string {
    return `authorization_link.redirect_token:${this.platform.appId}:${id}`;
  }
}

/** Compares digests, so that neither content nor length shows in the time it takes. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
