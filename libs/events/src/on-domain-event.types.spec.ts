import { type DeliveryContext } from './delivery-context.js';
import { type AuthorizerFacts, type DomainEventOf } from './domain-events.js';
import { type EventOutbox } from './event-outbox.js';
import { OnDomainEvent } from './on-domain-event.decorator.js';

/** Checked by the compiler: each error that is expected here and does not come is an error itself. */
export class Handlers {
  @OnDomainEvent('authorizer.authorized', { subscriber: 'right' })
  async right(event: DomainEventOf<'authorizer.authorized'>, delivery: DeliveryContext): Promise<void> {
    const facts: AuthorizerFacts = event.data;
    const attempt: number = delivery.attempt;
    return Promise.resolve(void [facts, attempt]);
  }

  @OnDomainEvent(['wechat.authorized', 'wechat.unauthorized'], { subscriber: 'several' })
  async several(event: DomainEventOf<'wechat.authorized' | 'wechat.unauthorized'>): Promise<void> {
    const account: string = event.data.AuthorizerAppid;
    const expiry: string | undefined =
      event.type === 'wechat.authorized' ? event.data.AuthorizationCodeExpiredTime : undefined;
    return Promise.resolve(void [account, expiry]);
  }

  @OnDomainEvent('*', { subscriber: 'everything' })
  async everything(event: DomainEventOf<'*'>): Promise<void> {
    return Promise.resolve(void event);
  }

  // @ts-expect-error there is no such event
  @OnDomainEvent('authorizer.autorized', { subscriber: 'wrong.name' })
  async wrongName(): Promise<void> {}

  // @ts-expect-error another event than the one subscribed to
  @OnDomainEvent('authorizer.authorized', { subscriber: 'wrong.payload' })
  async wrongPayload(_event: DomainEventOf<'authorizer.unauthorized'>): Promise<void> {}

  // @ts-expect-error one of several events is not handled
  @OnDomainEvent(['authorizer.authorized', 'authorizer.unauthorized'], { subscriber: 'wrong.union' })
  async wrongUnion(_event: DomainEventOf<'authorizer.unauthorized'>): Promise<void> {}

  // @ts-expect-error whoever does not return a promise cannot be waited for
  @OnDomainEvent('authorizer.authorized', { subscriber: 'synchronous' })
  synchronous(_event: DomainEventOf<'authorizer.authorized'>): void {}

  // @ts-expect-error a subscriber needs a name
  @OnDomainEvent('authorizer.authorized', {})
  async nameless(): Promise<void> {}

  async publishing(outbox: EventOutbox): Promise<void> {
    await outbox.transaction(async (tx) => {
      const about = { componentAppId: 'wx0', authorizerAppId: 'wx1' };
      await outbox.publish(tx, {
        ...about,
        type: 'authorizer.attention_required',
        data: { attention: 'account_frozen' },
      });
      // @ts-expect-error no such attention
      await outbox.publish(tx, { ...about, type: 'authorizer.attention_required', data: { attention: 'bored' } });
      // @ts-expect-error the data of another event
      await outbox.publish(tx, { ...about, type: 'authorizer.unauthorized', data: { attention: 'account_frozen' } });
      // @ts-expect-error pushes are WeChat's to publish
      await outbox.publish(tx, { ...about, type: 'wechat.authorized', data: {} });
    });
  }
}

describe('the types of durable subscribers', () => {
  it('are checked by tsc, which this file must pass', () => {
    expect(Object.getOwnPropertyNames(Handlers.prototype)).toContain('right');
  });
});
