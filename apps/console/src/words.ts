import { type AuditEntry, type Authorizer, type Delivery, type Link, type Platform, type Push } from './answers.js';

/** How something stands, as a colour beside its word. */
export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'quiet';
type Words<T extends string> = Readonly<Record<T, string>>;
type Tones<T extends string> = Readonly<Record<T, Tone>>;

export const AUTHORIZER_STATUS: Words<Authorizer['status']> = {
  pending: 'Pending',
  authorized: 'Authorized',
  unauthorized: 'Unauthorized',
};
export const ACCOUNT_TYPE: Words<Authorizer['accountType']> = {
  official_account: 'Official account',
  service_account: 'Service account',
  mini_program: 'Mini program',
  channels: 'Channels',
  store: 'Store',
  talent: 'Talent',
  unknown: 'Unknown',
};
export const ATTENTION: Words<NonNullable<Authorizer['attention']>> = {
  reauthorization_required: 'Must authorize again',
  account_frozen: 'Account frozen',
  profile_unavailable: 'Profile unavailable',
};
/** What a person does about it. */
export const WHAT_TO_DO: Words<NonNullable<Authorizer['attention']>> = {
  reauthorization_required:
    'WeChat accepts our credential no longer. Sync once, in case only the token was lost; if it stays, send the merchant a new link.',
  account_frozen:
    'WeChat has frozen, banned or closed the account. The merchant has to settle that with WeChat; sync afterwards.',
  profile_unavailable: 'The account is authorized, but WeChat does not tell its profile. Sync; the answer says why.',
};
export const PUSH_STATUS: Words<Push['status']> = {
  received: 'Under way',
  processed: 'Processed',
  superseded: 'Superseded',
  failed: 'Failed',
};
export const DELIVERY_STATUS: Words<Delivery['status']> = {
  dead: 'Dead',
  waiting: 'Waiting',
  parked: 'Parked',
  done: 'Done',
};
export const LINK_STATUS: Words<Link['status']> = { pending: 'Pending', completed: 'Completed', expired: 'Expired' };
export const AUTH_TYPE: Readonly<Record<NonNullable<Link['authType']>, string>> = {
  1: 'Official accounts',
  2: 'Mini programs',
  3: 'Official accounts and mini programs',
  4: 'Promoters',
  5: 'Channels',
  6: 'All of these',
  8: 'Talents',
};
export const OUTCOME: Words<AuditEntry['outcome']> = {
  succeeded: 'Succeeded',
  failed: 'Failed',
  aborted: 'Aborted',
  unfinished: 'Unfinished',
};
export const HEALTH: Words<Platform['health']> = { ok: 'OK', degraded: 'Degraded', down: 'Down' };
export const PHASE: Words<NonNullable<Platform['lastReconcile']>['phase']> = {
  list: 'reading WeChat’s list',
  missing: 'marking those that are gone',
  profiles: 'reading profiles',
};

/** One tone for one word, wherever it is used. */
const TONES: Tones<
  | Authorizer['status']
  | Push['status']
  | Delivery['status']
  | Link['status']
  | AuditEntry['outcome']
  | Platform['health']
  | Authorizer['credential']['status']
  | NonNullable<Platform['lastReconcile']>['status']
> = {
  ...{
    authorized: 'good',
    processed: 'good',
    done: 'good',
    completed: 'good',
    succeeded: 'good',
    ok: 'good',
    valid: 'good',
  },
  ...{ pending: 'busy', received: 'busy', waiting: 'busy', running: 'busy' },
  ...{ degraded: 'warn', parked: 'warn', paused: 'warn', unfinished: 'warn', aborted: 'warn' },
  ...{ failed: 'bad', dead: 'bad', down: 'bad', invalid: 'bad' },
  // Nobody need act: what is expired or missing is fetched when somebody asks for it.
  ...{ unauthorized: 'quiet', superseded: 'quiet', expired: 'quiet', missing: 'quiet' },
};

export function toneOf(word: keyof typeof TONES): Tone {
  return TONES[word];
}

/** `1 delivery`, `3 deliveries`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}
