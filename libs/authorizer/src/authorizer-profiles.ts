import { Injectable, Logger } from '@nestjs/common';
import { type Attention, type DomainEventOf, EventOutbox, OnDomainEvent } from '@app/events';
import { type AccountProfile, PlatformCredentialService, WechatApiError, WechatClient } from '@app/wechat';
import { AuthorizerRecords, type Facts, factsOf } from './authorizer-records.js';
import { CredentialStore } from './credential-store.js';

/** What an account turned out to be, and whether a person must act on it. */
interface Reading {
  readonly facts: Facts;
  readonly attention: Attention | null;
}

/** The account lacks this one ability; that is no reason to call it frozen. */
const API_UNAUTHORIZED = 48001;
const OUT_OF_ORDER: ReadonlySet<string> = new Set(['frozen', 'banned', 'cancelled']);

/** Reads what WeChat knows of an account, and keeps the record true to it. */
@Injectable()
export class AuthorizerProfiles {
  private readonly logger = new Logger(AuthorizerProfiles.name);

  constructor(
    private readonly outbox: EventOutbox,
    private readonly client: WechatClient,
    private readonly platform: PlatformCredentialService,
    private readonly records: AuthorizerRecords,
    private readonly credentials: CredentialStore,
  ) {}

  /** The account's facts; where they cannot be read, the permissions granted with its credential and what that calls for. */
  async read(appId: string): Promise<Reading> {
    try {
      return await this.ask(appId);
    } catch (error) {
      const isFrozen =
        error instanceof WechatApiError && error.reaction === 'account_state' && error.errcode !== API_UNAUTHORIZED;
      this.logger.warn(`The profile of ${appId} could not be read: ${(error as Error).message}`);
      const credential = await this.credentials.find(appId);
      const facts = credential ? { permissionIds: [...credential.permissionIds] } : {};
      return { facts, attention: isFrozen ? 'account_frozen' : 'profile_unavailable' };
    }
  }

  /** Reads the account again and brings its record up to date. */
  async refresh(appId: string): Promise<void> {
    const { facts, attention } = await this.ask(appId);
    await this.outbox.transaction((tx) => this.records.refreshFacts(tx, appId, facts, attention));
  }

  /** Heals a record without a profile: tried again, on the schedule of every delivery, until WeChat answers. */
  @OnDomainEvent('authorizer.attention_required', { subscriber: 'authorizer.profile', concurrency: 2 })
  async heal(event: DomainEventOf<'authorizer.attention_required'>): Promise<void> {
    if (event.data.attention !== 'profile_unavailable' || event.authorizerAppId === null) return;
    const record = await this.records.find(event.authorizerAppId);
    if (record?.attention === 'profile_unavailable') await this.refresh(event.authorizerAppId);
  }

  private async ask(appId: string): Promise<Reading> {
    const { at } = await this.credentials.inquire();
    return readingOf(await this.platform.call((token) => this.client.authorizerInfo(token, appId)), at);
  }
}

/** What an account's information comes to. */
export function readingOf(profile: AccountProfile, askedAt: Date): Reading {
  return {
    facts: factsOf(profile, askedAt),
    attention: OUT_OF_ORDER.has(profile.accountStatus) ? 'account_frozen' : null,
  };
}
