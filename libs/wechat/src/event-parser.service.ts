import { type FieldObject, type FieldValue } from '@app/events';
import { accountElements, readUnixSeconds, requiredElements, SECRET_FIELDS } from './info-types.js';
import { PushRejected } from './rejection.js';
import { readXml, type XmlBounds } from './xml-tree.js';

/** The outer XML of a push: whom it is addressed to, not yet authenticated, and what is sealed in it. */
export interface PushEnvelope {
  readonly appId: string;
  readonly ciphertext: string;
}

/** One event of WeChat in WeChat's own words. */
export interface PushEvent {
  readonly infoType: string;
  /** The account it is about, whatever the element is called. */
  readonly authorizerAppId: string | null;
  /** Null where WeChat sent none or an impossible one. */
  readonly createTime: Date | null;
  /** Every element under its own name, except those in `secrets`. */
  readonly fields: FieldObject;
  /** Tickets and codes: never to be logged, nor stored unsealed. */
  readonly secrets: Record<string, string>;
  /** Why it can have no effect, or null. */
  readonly failure: string | null;
}

/** Nobody has proved who they are when an envelope is read, so it may cost little; an event may be a long list. */
const ENVELOPE: XmlBounds = { maxElements: 64, malformed: 'MALFORMED_ENVELOPE' };
const EVENT: XmlBounds = { maxElements: 4096, malformed: 'MALFORMED_EVENT' };

const DAY_MS = 86_400_000;
/** Any visible characters; the bounds keep names usable as keys of an index. */
const NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]{1,128}$/u;

/** Reads WeChat's XML, trusting none of it. */
export class EventParserService {
  /** @throws PushRejected when the body is not an envelope with `AppId` and `Encrypt`. */
  parseEnvelope(body: string): PushEnvelope {
    const fields = readXml(body, ENVELOPE);
    const { AppId: appId = '', Encrypt: ciphertext = '' } = fields;
    if (typeof appId !== 'string' || typeof ciphertext !== 'string') throw new PushRejected('MALFORMED_ENVELOPE');
    if (appId === '') throw new PushRejected('MISSING_APP_ID');
    if (ciphertext === '') throw new PushRejected('MISSING_ENCRYPT');
    return { appId, ciphertext };
  }

  /**
   * Reads a decrypted event. One that lacks what its InfoType needs is an event all the same, with a `failure`.
   *
   * @throws PushRejected MALFORMED_EVENT unless it is XML with an InfoType, DOCTYPE_REFUSED for a DOCTYPE.
   */
  parse(xml: string): PushEvent {
    const fields = readXml(xml, EVENT);
    const infoType = asInfoType(fields.InfoType);
    if (infoType === null) throw new PushRejected('MALFORMED_EVENT');
    const secrets = takeSecrets(fields);
    return {
      infoType,
      authorizerAppId: findAccount(infoType, fields),
      createTime: notOfTheFuture(readUnixSeconds(fields.CreateTime)),
      fields,
      secrets,
      failure: findFailure(requiredElements(infoType, fields.status), fields, secrets),
    };
  }
}

/** What claims to be of the day after tomorrow would win over everything that happens until then. */
function notOfTheFuture(time: Date | null): Date | null {
  return time && time.getTime() <= Date.now() + DAY_MS ? time : null;
}

/** A new one may be anything that can be read and kept as a key of an index. */
function asInfoType(value: FieldValue | undefined): string | null {
  return typeof value === 'string' && /^\P{Cc}{1,512}$/u.test(value) ? value : null;
}

function asName(value: FieldValue | undefined): string | null {
  return typeof value === 'string' && NAME.test(value) ? value : null;
}

function findAccount(infoType: string, fields: FieldObject): string | null {
  for (const element of accountElements(infoType)) {
    const appId = asName(fields[element]);
    if (appId !== null) return appId;
  }
  return null;
}

/** A secret that is not plain text is taken out as well: what cannot be used must not be stored in the clear either. */
function takeSecrets(fields: FieldObject): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (const name of SECRET_FIELDS) {
    const value = fields[name];
    if (typeof value === 'string' && value !== '') secrets[name] = value;
    delete fields[name];
  }
  return secrets;
}

function findFailure(required: readonly string[], fields: FieldObject, secrets: Record<string, string>): string | null {
  const missing = required.filter((name) => asName(fields[name]) === null && secrets[name] === undefined);
  return missing.length === 0 ? null : `${missing.join(' and ')} missing, empty or unusable`;
}
