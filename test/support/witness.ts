import { Injectable } from '@nestjs/common';
import { type AnyEvent, OnDomainEvent } from '@app/events';

/** A neighbour that hears everything. */
@Injectable()
export class Witness {
  readonly heard: AnyEvent[] = [];

  @OnDomainEvent('*', { subscriber: 'test.witness' })
  // eslint-disable-next-line @typescript-eslint/require-await
  async hear(event: AnyEvent): Promise<void> {
    this.heard.push(event);
  }

  /** What was announced of the account, oldest first. */
  heardOf(appId: string, type: string): AnyEvent['data'][] {
    return this.heard.filter((event) => event.authorizerAppId === appId && event.type === type).map(({ data }) => data);
  }
}
