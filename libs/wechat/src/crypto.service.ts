import { createDecipheriv, createHash, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { PushRejected, type RejectionReason } from './rejection.js';

/** The query parameters of a push, exactly as received after URL-decoding. */
export interface PushSignature {
  readonly signature: string;
  readonly timestamp: string;
  readonly nonce: string;
  readonly encryptType: string;
  readonly msgSignature: string;
}

/** The query parameters of a URL check; one of the two signatures is needed. */
export type EchoSignature = Pick<PushSignature, 'timestamp' | 'nonce'> &
  Partial<Pick<PushSignature, 'signature' | 'msgSignature'>>;

/** What was in a push, and which of the configured secrets opened it (0 is the current one). */
export interface OpenedPush {
  readonly xml: string;
  readonly tokenIndex: number;
  readonly keyIndex: number;
}

/** Tokens and keys are rotated separately; in both lists the current one comes first. */
export interface CryptoConfig {
  readonly componentAppId: string;
  readonly tokens: readonly string[];
  readonly encodingAesKeys: readonly string[];
  /** Seconds a timestamp may lie from our clock; 0 switches the check off. */
  readonly pushMaxAgeSeconds: number;
  /** The time in milliseconds, `Date.now` by default. */
  readonly now?: () => number;
}

interface AesKey {
  readonly key: KeyObject;
  readonly iv: Buffer;
}

const BLOCK = 32;
const RANDOM_BYTES = 16;
const HEADER_BYTES = RANDOM_BYTES + 4;

/** How far a key got before it failed: the furthest reason of all keys tells most about what is wrong. */
const PROGRESS = ['BAD_PADDING', 'BAD_FRAME', 'APP_ID_MISMATCH', 'NOT_UTF8'] as const satisfies RejectionReason[];
type FrameFault = (typeof PROGRESS)[number];

/**
 * Checks who sent a push and opens it.
 *
 * @see https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html
 */
export class CryptoService {
  private readonly appId: Buffer;
  private readonly tokens: readonly Buffer[];
  private readonly keys: readonly AesKey[];
  private readonly maxAgeSeconds: number;
  private readonly now: () => number;
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /** @throws TypeError when there is no token or no key, or when a key is not an EncodingAESKey. */
  constructor(config: CryptoConfig) {
    if (config.tokens.length === 0) throw new TypeError('At least one token is needed');
    if (config.encodingAesKeys.length === 0) throw new TypeError('At least one EncodingAESKey is needed');
    this.appId = Buffer.from(config.componentAppId);
    this.tokens = config.tokens.map((token) => Buffer.from(token));
    this.keys = config.encodingAesKeys.map(decodeKey);
    this.maxAgeSeconds = config.pushMaxAgeSeconds;
    this.now = config.now ?? Date.now;
  }

  /**
   * Opens the ciphertext of a push that carries this signature.
   *
   * Only `msg_signature` authenticates: it covers the ciphertext, the plain `signature` does not.
   *
   * @throws PushRejected 400 or 401; nothing is decrypted before the signature is known to be right.
   */
  open(ciphertext: string, signature: PushSignature): OpenedPush {
    requireParameters(signature);
    if (signature.encryptType !== 'aes') throw new PushRejected('UNSUPPORTED_ENCRYPT_TYPE');
    this.checkTimestamp(signature.timestamp);
    const parts = [signature.timestamp, signature.nonce, ciphertext];
    const tokenIndex = this.findToken(signature.msgSignature, parts);
    const { text, keyIndex } = this.decrypt(ciphertext);
    return { xml: text, tokenIndex, keyIndex };
  }

  /**
   * Answers WeChat's check of the URL: the echo as it is under a plain signature, decrypted under a `msg_signature`.
   *
   * @throws PushRejected 401 when the signature is wrong, 400 when an encrypted echo cannot be opened.
   */
  openEcho(echo: string, signature: EchoSignature): string {
    const { timestamp, nonce, signature: plain = '', msgSignature } = signature;
    this.checkTimestamp(timestamp);
    if (!msgSignature) {
      this.findToken(plain, [timestamp, nonce]);
      return echo;
    }
    this.findToken(msgSignature, [timestamp, nonce, echo]);
    return this.decrypt(echo).text;
  }

  private checkTimestamp(timestamp: string): void {
    if (!/^[0-9]{10}$/.test(timestamp)) throw new PushRejected('TIMESTAMP_MALFORMED');
    if (this.maxAgeSeconds === 0) return;
    const age = Math.abs(this.now() / 1000 - Number(timestamp));
    if (age > this.maxAgeSeconds) throw new PushRejected('TIMESTAMP_OUT_OF_RANGE');
  }

  /** Every token is tried, also after a match, so that the time taken says nothing. */
  private findToken(claimed: string, parts: string[]): number {
    const wellFormed = /^[0-9a-f]{40}$/.test(claimed);
    const digest = wellFormed ? Buffer.from(claimed, 'hex') : Buffer.alloc(20);
    const buffers = parts.map((part) => Buffer.from(part));
    let found = -1;
    for (const [index, token] of this.tokens.entries()) {
      const matches = timingSafeEqual(sign([token, ...buffers]), digest);
      if (matches && found === -1) found = index;
    }
    if (found === -1 || !wellFormed) throw new PushRejected('SIGNATURE_MISMATCH');
    return found;
  }

  private decrypt(ciphertext: string): { text: string; keyIndex: number } {
    const sealed = decodeBase64(ciphertext);
    if (sealed.length % BLOCK !== 0) throw new PushRejected('BAD_BLOCK_LENGTH');
    let furthest = 0;
    for (const [keyIndex, key] of this.keys.entries()) {
      const message = this.openFrame(decipher(sealed, key));
      if (typeof message !== 'string') return { text: message.text, keyIndex };
      furthest = Math.max(furthest, PROGRESS.indexOf(message));
    }
    throw new PushRejected(PROGRESS[furthest]!);
  }

  /** A frame cut short in its header fails as one that claims too much: whatever its length, it ends behind its end. */
  private openFrame(frame: Buffer): { text: string } | FrameFault {
    const end = paddingStart(frame);
    if (end === null) return 'BAD_PADDING';
    const messageEnd = HEADER_BYTES + frame.readUInt32BE(RANDOM_BYTES);
    if (messageEnd > end) return 'BAD_FRAME';
    if (!frame.subarray(messageEnd, end).equals(this.appId)) return 'APP_ID_MISMATCH';
    try {
      return { text: this.utf8.decode(frame.subarray(HEADER_BYTES, messageEnd)) };
    } catch {
      return 'NOT_UTF8';
    }
  }
}

function requireParameters(signature: PushSignature): void {
  const names = {
    signature: signature.signature,
    timestamp: signature.timestamp,
    nonce: signature.nonce,
    encrypt_type: signature.encryptType,
    msg_signature: signature.msgSignature,
  };
  const missing = Object.entries(names).flatMap(([name, value]) => (value ? [] : [name]));
  if (missing.length > 0) throw new PushRejected('MISSING_PARAMETER', { detail: `Missing: ${missing.join(', ')}` });
}

function sign(parts: Buffer[]): Buffer {
  const hash = createHash('sha1');
  for (const part of parts.sort((a, b) => Buffer.compare(a, b))) hash.update(part);
  return hash.digest();
}

/** The console's keys may carry stray low bits in the last character, which Node's decoder ignores. */
function decodeKey(encoded: string): AesKey {
  const text = encoded.replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/]{43}$/.test(text)) throw new TypeError('An EncodingAESKey has 43 characters of base64');
  const key = Buffer.from(`${text}=`, 'base64');
  return { key: createSecretKey(key), iv: key.subarray(0, 16) };
}

/** Node's decoder skips what it does not know; only what it writes again the same way was base64. */
function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== text) throw new PushRejected('BAD_BASE64');
  return bytes;
}

function decipher(sealed: Buffer, { key, iv }: AesKey): Buffer {
  const cipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
  return Buffer.concat([cipher.update(sealed), cipher.final()]);
}

/** Where PKCS#7 padding to blocks of 32 begins, or null when it is not that. */
function paddingStart(frame: Buffer): number | null {
  const length = frame[frame.length - 1]!;
  if (length < 1 || length > BLOCK) return null;
  const start = frame.length - length;
  return frame.subarray(start).every((byte) => byte === length) ? start : null;
}
