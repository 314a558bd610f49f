/** What can go wrong with events: the HTTP status where a caller hears of it, and the sentence. */
const EVENT_PROBLEMS = {
  STORE_UNAVAILABLE: [503, 'The event could not be stored in time; send it again'],
  LEASE_LOST: [409, 'Another process has taken this delivery over'],
  NOT_IN_TRANSACTION: [
    500,
    'publish() needs a transaction that EventOutbox.transaction() or DeliveryContext.transaction() opened',
  ],
  DUPLICATE_SUBSCRIBER: [500, 'Two handlers share a subscriber name; every @OnDomainEvent needs its own'],
  INVALID_SUBSCRIPTION: [
    500,
    'An @OnDomainEvent needs a subscriber of 1 to 200 characters and a whole concurrency from 1',
  ],
  SCOPED_SUBSCRIBER: [
    500,
    'An @OnDomainEvent belongs to a provider that lives as long as the application, not to one made for each request',
  ],
  METHOD_TAKEN: [500, 'A method is one subscriber; give every @OnDomainEvent a method of its own'],
  UNKNOWN_EVENT_TYPE: [500, 'An @OnDomainEvent names an event that there is not'],
  UNKNOWN_EVENT: [404, 'There is no such event'],
  UNKNOWN_DELIVERY: [404, 'There is no such delivery'],
  UNUSABLE_EVENT: [409, 'The event lacks a required field, so there is nothing to handle again'],
  DELIVERY_NOT_DEAD: [409, 'Only a dead delivery can be tried again; this one is still under way or done'],
  UNKNOWN_SUBSCRIBER: [400, 'No such subscriber is registered for this event'],
} as const;

export type EventProblem = keyof typeof EVENT_PROBLEMS;

/** A failure of the outbox. `title` is fit for the caller of an HTTP route; `cause` is not. */
export class EventsError extends Error {
  readonly status: number;
  readonly title: string;

  constructor(
    readonly code: EventProblem,
    readonly detail?: string,
    cause?: unknown,
  ) {
    const [status, title] = EVENT_PROBLEMS[code];
    super(detail ? `${title}: ${detail}` : title, { cause });
    this.name = 'EventsError';
    this.status = status;
    this.title = title;
  }
}
