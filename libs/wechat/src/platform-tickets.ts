import { Inject, Injectable } from '@nestjs/common';
import { type DeliveryContext, type DomainEventOf, EventSecrets, OnDomainEvent } from '@app/events';
import { Keyring } from '@app/keyring';
import { type PlatformCredentialEntity } from './platform-credential.entity.js';
import { WECHAT_OPTIONS, type WechatOptions } from './wechat.options.js';

/** A ticket is good for 12 hours after WeChat made it. */
const TICKET_LIFE_MS = 12 * 3600 * 1000;

/**
 * Keeps the newest component_verify_ticket.
 *
 * @see https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/component_verify_ticket.html
 */
@Injectable()
export class PlatformTickets {
  private readonly appId: string;
  private readonly context: string;

  constructor(
    @Inject(WECHAT_OPTIONS) options: WechatOptions,
    private readonly keyring: Keyring,
    private readonly secrets: EventSecrets,
  ) {
    this.appId = options.appId;
    this.context = `platform_credential.ticket:${options.appId}`;
  }

  /** Keeps a pushed ticket, unless a newer one (by CreateTime) is there, and erases it from the event. */
  @OnDomainEvent('wechat.component_verify_ticket', { subscriber: 'platform.ticket', concurrency: 1 })
  async keep(event: DomainEventOf<'wechat.component_verify_ticket'>, delivery: DeliveryContext): Promise<void> {
    const { ComponentVerifyTicket: ticket } = await this.secrets.open(event.id);
    if (ticket === undefined) return;
    await delivery.transaction(async (tx) => {
      const values = [this.appId, this.keyring.seal(ticket, this.context), event.time];
      const kept = await tx.query<unknown[]>(KEEP_TICKET, values);
      if (kept.length === 0) delivery.supersede();
      await this.secrets.erase(tx, event.id);
    });
  }

  /** The ticket of the row; null when there is none, or it has ended. */
  open({ ticket, ticketCreateTime }: PlatformCredentialEntity): string | null {
    if (ticket === null || ticketCreateTime === null) return null;
    return ticketCreateTime.getTime() + TICKET_LIFE_MS >= Date.now() ? this.keyring.open(ticket, this.context) : null;
  }
}

/** $1 component, $2 sealed ticket, $3 when WeChat made it. The newest by CreateTime stays, whatever comes when. */
const KEEP_TICKET = `
insert into platform_credential as kept (component_app_id, ticket, ticket_create_time, ticket_received_at)
values ($1, $2, $3, now())
on conflict (component_app_id) do update
set ticket = excluded.ticket, ticket_create_time = excluded.ticket_create_time, ticket_received_at = clock_timestamp()
where kept.ticket_create_time is null or kept.ticket_create_time <= excluded.ticket_create_time
returning component_app_id`;
