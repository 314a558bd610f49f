import { z } from 'zod';
import { pushEvents } from './push-events.js';

/** The kinds of account that can authorize a platform. */
export const ACCOUNT_TYPES = [
  'official_account',
  'service_account',
  'mini_program',
  'channels',
  'store',
  'talent',
  'unknown',
] as const;
export type AccountType = (typeof ACCOUNT_TYPES)[number];

/** Why a person must act on an authorizer. */
export const ATTENTIONS = ['reauthorization_required', 'account_frozen', 'profile_unavailable'] as const;
export type Attention = (typeof ATTENTIONS)[number];

const permission = z.object({ id: z.int(), name: z.string().nullable() });
export type Permission = z.infer<typeof permission>;

const facts = z.object({
  accountType: z.enum(ACCOUNT_TYPES),
  permissions: z.array(permission),
  tenantId: z.string().nullable(),
  state: z.string().nullable(),
});
/** What neighbours learn of an authorizer whose record and credential are in place. */
export type AuthorizerFacts = z.infer<typeof facts>;

const changes = z.object({
  fields: z.array(z.string()),
  permissionsGranted: z.array(permission),
  permissionsWithdrawn: z.array(permission),
});
/** What is different from before: the names of the changed fields, and the permission sets given and taken. */
export type AuthorizerChanges = z.infer<typeof changes>;

/** What this service itself announces. */
const authorizerEvents = {
  'authorizer.authorized': facts.describe('An account is authorized: its record and its credential are in place'),
  'authorizer.updated': facts.extend({ changes }).describe('Something about an authorized account is different'),
  'authorizer.unauthorized': z
    .object({
      tenantId: z.string().nullable(),
      state: z.string().nullable(),
      reason: z.enum(['revoked', 'reconciled']),
    })
    .describe('An account is no longer authorized'),
  'authorizer.attention_required': z
    .object({ attention: z.enum(ATTENTIONS) })
    .describe('A person must act on an authorizer'),
  'authorizer.binding_conflict': z
    .object({ tenantId: z.string(), wantedTenantId: z.string(), linkId: z.string() })
    .describe('An account of one tenant came back with a link for another: an operator must decide'),
} as const;

/**
 * Every event by name, with the schema of its data: the schemas type the code and are published. Adding an event is adding one line.
 *
 * Payloads are plain JSON, because they travel through jsonb, and append-only: a field once published stays and keeps its meaning.
 */
export const domainEvents = { ...authorizerEvents, ...pushEvents } as const;

/** Work this service leaves to itself: heard by name only, not part of `*`, and nobody else's business. */
const internalEvents = {
  'internal.code_returned': z.object({ returnedCodeId: z.string() }),
} as const;

type PayloadsOf<Schemas extends Record<string, z.ZodType>> = { [T in keyof Schemas]: z.infer<Schemas[T]> };
type AuthorizerEventPayloads = PayloadsOf<typeof authorizerEvents>;
type InternalEventPayloads = PayloadsOf<typeof internalEvents>;
type DomainEventPayloads = PayloadsOf<typeof domainEvents> & InternalEventPayloads;

/** An event that neighbours and other services are told of. */
export type PublicEventType = keyof typeof domainEvents;

/** The name of an event that this service knows. WeChat may push others: those are heard as `wechat.*`. */
export type DomainEventType = keyof DomainEventPayloads;

interface EventEnvelope<T extends string, D> {
  /** The same at every delivery, to every subscriber. */
  readonly id: string;
  readonly type: T;
  /** When it happened, ISO 8601 UTC: WeChat's CreateTime for a push that has one, else when it was stored. */
  readonly time: string;
  readonly componentAppId: string;
  /** The account it is about; null for events of the platform itself, such as a ticket. */
  readonly authorizerAppId: string | null;
  readonly data: D;
}

/** Any event, told apart by `type`. */
export type DomainEvent = { [T in DomainEventType]: EnvelopeOf<T> }[DomainEventType];
type EnvelopeOf<T extends DomainEventType> = EventEnvelope<T, DomainEventPayloads[T]>;

/** An event of a type that may be newer than this code. */
export type AnyEvent = EventEnvelope<string, Record<string, unknown>>;

/** What a subscriber may ask for: an event by name, every push (`wechat.*`), or everything (`*`). */
export type Subscribable = DomainEventType | 'wechat.*' | '*';

/** The event, or union of events, that a subscriber to `T` is given. */
export type DomainEventOf<T extends Subscribable> = T extends DomainEventType ? EnvelopeOf<T> : AnyEvent;

/** An event of our own, before it has an id and a time. */
export type NewDomainEvent = NewEventsOf<AuthorizerEventPayloads, string> | NewEventsOf<InternalEventPayloads, null>;
type NewEventsOf<Payloads, Account> = {
  [T in keyof Payloads]: {
    readonly type: T;
    readonly componentAppId: string;
    readonly authorizerAppId: Account;
    readonly data: Payloads[T];
  };
}[keyof Payloads];

/** Whether there can be such an event: the compiler says so too, except to those who cast. */
export function isSubscribable(type: string): boolean {
  return type === '*' || type === 'wechat.*' || type in domainEvents || type in internalEvents;
}

/** What matches an event of this type in a subscription. */
export function subscriptionsTo(type: string): string[] {
  if (type.startsWith('internal.')) return [type];
  return type.startsWith('wechat.') ? [type, 'wechat.*', '*'] : [type, '*'];
}
