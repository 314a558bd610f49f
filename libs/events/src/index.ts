export {
  ACCOUNT_TYPES,
  type AccountType,
  type AnyEvent,
  ATTENTIONS,
  type Attention,
  type AuthorizerChanges,
  type AuthorizerFacts,
  type DomainEvent,
  type DomainEventOf,
  type DomainEventType,
  type NewDomainEvent,
  type Permission,
  type Subscribable,
} from './domain-events.js';
export { isDatabaseAway, isLockTimeout, isSchemaAnother } from './database-away.js';
export { DELIVERY_STATES, DeliveryDesk, type DeliveryFilter } from './delivery-desk.js';
export { type DeliveryContext } from './delivery-context.js';
export {
  type DeliveryOfEvent,
  type DeliveryRecord,
  type DeliveryState,
  EventLog,
  PUSH_STATUSES,
  type PushDetail,
  type PushFilter,
  type PushRecord,
  type PushStatus,
} from './event-log.js';
export { describeEvents } from './event-document.js';
export { EventOutbox, type Push } from './event-outbox.js';
export { EventSecrets } from './event-secrets.js';
export { EventsError } from './events.errors.js';
export { EventsModule } from './events.module.js';
export { eventsMigrations } from './migrations/index.js';
export { SubscriberRegistry } from './subscriber-registry.js';
export { OnDomainEvent } from './on-domain-event.decorator.js';
export { isKnownInfoType } from './push-events.js';
export { type FieldObject, type FieldValue } from './push-fields.js';
export { WakeUpListener } from './wake-up-listener.js';
export { eventsSealedColumns } from './sealed-columns.js';
