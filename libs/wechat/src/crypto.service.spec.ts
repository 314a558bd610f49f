import { createCipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import { type CryptoConfig, CryptoService, type PushSignature } from './crypto.service.js';
import {
  CPP_MESSAGE,
  JAVA_ENCRYPTION,
  JAVA_URL_CHECK,
  PLATFORM_MESSAGE,
  PLATFORM_PLAIN_SIGNATURE,
  PLATFORM_REPLY,
  type PublishedVector,
  PYTHON_MESSAGE,
} from './fixtures/published-vectors.js';
import { PushRejected, type RejectionReason } from './rejection.js';

const APP_ID = 'wx5a0d60c8f1e2b347';
const [TOKEN, OLD_TOKEN] = ['sandboxtoken', 'formertoken'];
const [KEY, OLD_KEY] = ['c2FuZGJveHNhbmRib3hzYW5kYm94c2FuZGJveDEyMzQ', 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG'];
const NOW = 1_700_000_000;
const EVENT = '<xml><InfoType>authorized</InfoType></xml>';

/** Sealing written out by hand, so that opening is not checked against its own mirror image. */
function frame(message: string | Buffer, { appId = APP_ID, length = Buffer.byteLength(message) } = {}): Buffer {
  const header = Buffer.alloc(20, 'r');
  header.writeUInt32BE(length, 16);
  return Buffer.concat([header, Buffer.from(message), Buffer.from(appId)]);
}

function pad(bytes: Buffer): Buffer {
  const missing = 32 - (bytes.length % 32);
  return Buffer.concat([bytes, Buffer.alloc(missing, missing)]);
}

function encrypt(padded: Buffer, key = KEY): string {
  const aes = Buffer.from(`${key}=`, 'base64');
  const cipher = createCipheriv('aes-256-cbc', aes, aes.subarray(0, 16)).setAutoPadding(false);
  return cipher.update(padded, undefined, 'base64') + cipher.final('base64');
}

const seal = (message: string | Buffer, options?: Parameters<typeof frame>[1]) => encrypt(pad(frame(message, options)));

const sha1 = (...parts: string[]) => createHash('sha1').update(parts.sort().join('')).digest('hex');

function signed(ciphertext: string, overrides: Partial<PushSignature> = {}, token = TOKEN): PushSignature {
  const { timestamp = String(NOW), nonce = '805459633' } = overrides;
  const msgSignature = sha1(token, timestamp, nonce, ciphertext);
  return { signature: 'unused', timestamp, nonce, encryptType: 'aes', msgSignature, ...overrides };
}

function service(overrides: Partial<CryptoConfig> = {}): CryptoService {
  const secrets = { componentAppId: APP_ID, tokens: [TOKEN], encodingAesKeys: [KEY] };
  return new CryptoService({ ...secrets, pushMaxAgeSeconds: 86_400, now: () => NOW * 1000, ...overrides });
}

function serviceOf(vector: PublishedVector): CryptoService {
  const { appId: componentAppId, token, encodingAesKey } = vector;
  return service({ componentAppId, tokens: [token], encodingAesKeys: [encodingAesKey], pushMaxAgeSeconds: 0 });
}

function catching(work: () => unknown): PushRejected {
  try {
    work();
  } catch (error) {
    if (error instanceof PushRejected) return error;
    throw error;
  }
  throw new Error('It was accepted');
}

const rejection = (work: () => unknown): RejectionReason => catching(work).reason;

describe('CryptoService opens what others have sealed', () => {
  it.each([PYTHON_MESSAGE, CPP_MESSAGE, PLATFORM_MESSAGE, PLATFORM_REPLY])('$source', (vector) => {
    const signature = signed(vector.encrypt, {
      timestamp: vector.timestamp,
      nonce: vector.nonce,
      msgSignature: vector.msgSignature,
    });

    expect(serviceOf(vector).open(vector.encrypt, signature)).toEqual({
      xml: vector.plaintext,
      tokenIndex: 0,
      keyIndex: 0,
    });
  });

  it('the Java sample, encryption, which was published without a signature', () => {
    const signature = signed(JAVA_ENCRYPTION.encrypt, {}, JAVA_ENCRYPTION.token);

    expect(serviceOf(JAVA_ENCRYPTION).open(JAVA_ENCRYPTION.encrypt, signature).xml).toBe(JAVA_ENCRYPTION.plaintext);
  });
});

describe('CryptoService answers a check of the URL', () => {
  const { timestamp, nonce, msgSignature, encrypt: echo, plaintext } = JAVA_URL_CHECK;

  it('with the decrypted echo under a msg_signature', () => {
    expect(serviceOf(JAVA_URL_CHECK).openEcho(echo, { timestamp, nonce, msgSignature })).toBe(plaintext);
  });

  it('with the echo as it is under a plain signature', () => {
    const query = { timestamp: PLATFORM_MESSAGE.timestamp, nonce: PLATFORM_MESSAGE.nonce };

    expect(serviceOf(PLATFORM_MESSAGE).openEcho('4711', { ...query, signature: PLATFORM_PLAIN_SIGNATURE })).toBe(
      '4711',
    );
  });

  it.each([
    ['the msg_signature is that of another echo', { msgSignature: PYTHON_MESSAGE.msgSignature }],
    ['the plain signature is wrong', { signature: PLATFORM_PLAIN_SIGNATURE }],
    [
      'a right plain signature accompanies a wrong msg_signature',
      {
        signature: sha1(JAVA_URL_CHECK.token, timestamp, nonce),
        msgSignature: PYTHON_MESSAGE.msgSignature,
      },
    ],
    ['there is no signature at all', {}],
    ['the signatures are empty', { signature: '', msgSignature: '' }],
  ])('with a refusal when %s', (_case, signatures) => {
    const crypto = serviceOf(JAVA_URL_CHECK);

    expect(rejection(() => crypto.openEcho(echo, { timestamp, nonce, ...signatures }))).toBe('SIGNATURE_MISMATCH');
  });

  it('with a refusal when the timestamp is no time', () => {
    const query = { timestamp: '', nonce, msgSignature };

    expect(rejection(() => serviceOf(JAVA_URL_CHECK).openEcho(echo, query))).toBe('TIMESTAMP_MALFORMED');
  });
});

describe('CryptoService knows the sender', () => {
  const ciphertext = seal(EVENT);

  it('by the msg_signature alone', () => {
    expect(service().open(ciphertext, signed(ciphertext, { signature: 'anything' })).xml).toBe(EVENT);
  });

  it.each(['signature', 'timestamp', 'nonce', 'encryptType', 'msgSignature'] as const)(
    'only if %s is there',
    (parameter) => {
      const signature = signed(ciphertext, { [parameter]: '' });

      expect(rejection(() => service().open(ciphertext, signature))).toBe('MISSING_PARAMETER');
    },
  );

  it('and names the parameters that are missing', () => {
    const signature = signed(ciphertext, { nonce: '', msgSignature: '' });

    expect(catching(() => service().open(ciphertext, signature)).detail).toBe('Missing: nonce, msg_signature');
  });

  it.each(['raw', 'AES', 'aes ', 'aes256'])('not under encrypt_type %j', (encryptType) => {
    const signature = signed(ciphertext, { encryptType });

    expect(rejection(() => service().open(ciphertext, signature))).toBe('UNSUPPORTED_ENCRYPT_TYPE');
  });

  it.each(['170000000', '17000000000', '1700000000\n', '+170000000', '1.70000000', '170000000x', '١٧٠٠٠٠٠٠٠٠'])(
    'not when the timestamp is %j, whether ages are checked or not',
    (timestamp) => {
      const signature = signed(ciphertext, { timestamp });

      for (const pushMaxAgeSeconds of [0, 86_400]) {
        expect(rejection(() => service({ pushMaxAgeSeconds }).open(ciphertext, signature))).toBe('TIMESTAMP_MALFORMED');
      }
    },
  );

  it.each([-86_401, 86_401])('not when the timestamp is %d s from our clock', (offset) => {
    const signature = signed(ciphertext, { timestamp: String(NOW + offset) });

    expect(rejection(() => service().open(ciphertext, signature))).toBe('TIMESTAMP_OUT_OF_RANGE');
    expect(service({ pushMaxAgeSeconds: 0 }).open(ciphertext, signature).xml).toBe(EVENT);
  });

  it.each([-86_400, 0, 86_400])('when the timestamp is %d s from our clock', (offset) => {
    const signature = signed(ciphertext, { timestamp: String(NOW + offset) });

    expect(service().open(ciphertext, signature).xml).toBe(EVENT);
  });

  it('by the real clock unless told otherwise', () => {
    const timestamp = String(Math.floor(Date.now() / 1000));

    expect(service({ now: undefined }).open(ciphertext, signed(ciphertext, { timestamp })).xml).toBe(EVENT);
    expect(rejection(() => service({ now: undefined }).open(ciphertext, signed(ciphertext)))).toBe(
      'TIMESTAMP_OUT_OF_RANGE',
    );
  });

  it.each([
    ['upper case', (right: string) => right.toUpperCase()],
    ['a character too few', (right: string) => right.slice(1)],
    ['a character too many', (right: string) => `${right}0`],
    ['a line feed behind it', (right: string) => `${right}\n`],
    ['no hex', (right: string) => `${right.slice(0, 39)}g`],
    ['all zeros', () => '0'.repeat(40)],
    ['wide characters', (right: string) => right.slice(0, 39) + '０'],
  ])('not when the msg_signature has %s', (_case, change) => {
    const right = signed(ciphertext);
    const signature = { ...right, msgSignature: change(right.msgSignature) };

    expect(rejection(() => service().open(ciphertext, signature))).toBe('SIGNATURE_MISMATCH');
  });

  it('not by a signature that does not cover the ciphertext', () => {
    const plain = sha1(TOKEN, String(NOW), '805459633');

    expect(rejection(() => service().open(ciphertext, signed(ciphertext, { msgSignature: plain })))).toBe(
      'SIGNATURE_MISMATCH',
    );
  });

  it('also when the nonce sorts differently by bytes than by UTF-16 units', () => {
    const [before, after] = ['\uFF5E', '\u{10000}'];
    const byBytes = createHash('sha1').update(`${NOW}${ciphertext}${before}${after}`).digest('hex');
    const signature = signed(ciphertext, { nonce: after, msgSignature: byBytes });

    expect(service({ tokens: [before] }).open(ciphertext, signature).xml).toBe(EVENT);
  });

  it('whichever byte of ciphertext, signature, timestamp or nonce is changed, it is not the same push', () => {
    const fields = ['ciphertext', 'msgSignature', 'timestamp', 'nonce'] as const;
    const crypto = service({ pushMaxAgeSeconds: 0 });
    const right = { ...signed(ciphertext), ciphertext };

    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.nat(), fc.integer({ min: 1, max: 127 }), (field, position, flip) => {
        const bytes = Buffer.from(right[field]);
        bytes[position % bytes.length]! ^= flip;
        const { ciphertext: changed, ...signature } = { ...right, [field]: bytes.toString() };

        expect(['SIGNATURE_MISMATCH', 'TIMESTAMP_MALFORMED']).toContain(
          rejection(() => crypto.open(changed, signature)),
        );
      }),
      { numRuns: 1000 },
    );
  });
});

describe('CryptoService refuses a well-signed push', () => {
  const open = (ciphertext: string, config: Partial<CryptoConfig> = {}) =>
    rejection(() => service(config).open(ciphertext, signed(ciphertext)));

  it.each([
    ['is empty', ''],
    ['lacks its padding', seal('x').replace(/=+$/, '')],
    ['has too much padding', `${seal('x')}=`],
    ['has a line break in it', `${seal(EVENT).slice(0, 64)}\n${seal(EVENT).slice(64)}`],
    ['is in the alphabet for URLs', Buffer.alloc(33, 0xff).toString('base64url')],
    ['has stray bits in its last character', `${'A'.repeat(42)}B=`],
    ['is not base64 at all', 'not base64!'],
    ['has text behind its padding', `${seal('x')}AAAA`],
  ])('whose ciphertext %s', (_case, ciphertext) => {
    expect(open(ciphertext)).toBe('BAD_BASE64');
  });

  it.each([1, 16, 31, 33, 48])('whose ciphertext is %d bytes long', (length) => {
    expect(open(Buffer.alloc(length, 7).toString('base64'))).toBe('BAD_BLOCK_LENGTH');
  });

  it.each([
    ['0', [0]],
    ['33', [33]],
    ['255', [255]],
    ['3 with a wrong byte before it', [3, 2, 3]],
    ['32 with a wrong byte before it', [31, ...Array<number>(31).fill(32)]],
  ])('whose padding is %s', (_case, tail) => {
    const padded = Buffer.concat([frame('x'.repeat(58 - tail.length)), Buffer.from(tail)]);

    expect(padded.length % 32).toBe(0);
    expect(open(encrypt(padded))).toBe('BAD_PADDING');
  });

  it.each([
    ['has only a random part', pad(Buffer.alloc(16))],
    ['has an incomplete length', pad(Buffer.alloc(19))],
    ['claims more than there is', pad(frame(EVENT, { length: 1000 }))],
    ['claims 4 GiB', pad(frame(EVENT, { length: 0xffff_ffff }))],
    ['is nothing but padding', Buffer.alloc(32, 32)],
  ])('whose frame %s', (_case, padded) => {
    expect(open(encrypt(padded))).toBe('BAD_FRAME');
  });

  it.each(['wx2c2769f8efd9abc2', '', `${APP_ID} `, APP_ID.toUpperCase(), APP_ID.slice(1)])(
    'whose frame ends in %j instead of our appid',
    (appId) => {
      expect(open(seal(EVENT, { appId }))).toBe('APP_ID_MISMATCH');
    },
  );

  it('whose length is a byte off, so that the appid is too', () => {
    const length = Buffer.byteLength(EVENT);

    expect(open(seal(EVENT, { length: length - 1 }))).toBe('APP_ID_MISMATCH');
    expect(open(seal(EVENT, { length: length + 1 }))).toBe('APP_ID_MISMATCH');
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a character cut short', [0xe6, 0x88]],
  ])('whose message has %s', (_case, bytes) => {
    expect(open(seal(Buffer.from(bytes)))).toBe('NOT_UTF8');
  });

  it('and never with anything but a PushRejected', () => {
    const blocks = fc.uint8Array({ minLength: 32, maxLength: 128 }).map((bytes) => Buffer.from(bytes));
    const ciphertexts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String(),
      blocks.map((bytes) => bytes.toString('base64')),
      blocks.map((bytes) => encrypt(pad(bytes))),
      blocks.map((bytes) => encrypt(bytes.subarray(0, bytes.length - (bytes.length % 32)))),
    );

    const crypto = service();
    fc.assert(
      fc.property(ciphertexts, (ciphertext) => {
        expect(rejection(() => crypto.open(ciphertext, signed(ciphertext)))).toMatch(/BAD|MISMATCH/);
      }),
      { numRuns: 1000 },
    );
  });

  it('nor an unsigned one with anything else', () => {
    const text = fc.string({ unit: 'binary' });
    const signature = fc.record({
      signature: text,
      timestamp: fc.oneof(text, fc.constant(String(NOW))),
      nonce: text,
      encryptType: fc.oneof(text, fc.constant('aes')),
      msgSignature: text,
    });

    fc.assert(
      fc.property(text, signature, (ciphertext, query) => {
        expect(() => service().open(ciphertext, query)).toThrow(PushRejected);
        expect(() => service().openEcho(ciphertext, query)).toThrow(PushRejected);
      }),
    );
  });
});

describe('CryptoService opens', () => {
  it('every message, of whatever length and script, exactly as it was sealed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (message) => {
        const ciphertext = seal(message);

        expect(service().open(ciphertext, signed(ciphertext)).xml).toBe(message);
      }),
    );
  });

  it.each(Array.from({ length: 32 }, (_, index) => index))('a message with %d more bytes than none', (length) => {
    const ciphertext = seal('x'.repeat(length));

    expect(service().open(ciphertext, signed(ciphertext)).xml).toBe('x'.repeat(length));
  });

  it('a message with a byte order mark, leaving it in place', () => {
    const ciphertext = seal(`\uFEFF${EVENT}`);

    expect(service().open(ciphertext, signed(ciphertext)).xml).toBe(`\uFEFF${EVENT}`);
  });

  it('with a key that has stray bits in its last character or blanks around it', () => {
    const ciphertext = seal(EVENT);
    const stray = KEY.replace(/Q$/, 'R');

    for (const key of [stray, ` ${KEY}\n`]) {
      expect(service({ encodingAesKeys: [key] }).open(ciphertext, signed(ciphertext)).xml).toBe(EVENT);
    }
  });
});

describe('CryptoService, while secrets are being rotated,', () => {
  const rotating = service({ tokens: [TOKEN, OLD_TOKEN], encodingAesKeys: [KEY, OLD_KEY] });

  it.each([
    [TOKEN, KEY, 0, 0],
    [TOKEN, OLD_KEY, 0, 1],
    [OLD_TOKEN, KEY, 1, 0],
    [OLD_TOKEN, OLD_KEY, 1, 1],
  ])('says that %s and %s opened a push', (token, key, tokenIndex, keyIndex) => {
    const ciphertext = encrypt(pad(frame(EVENT)), key);

    expect(rotating.open(ciphertext, signed(ciphertext, {}, token))).toEqual({ xml: EVENT, tokenIndex, keyIndex });
  });

  it('names the current one when both are the same', () => {
    const ciphertext = seal(EVENT);
    const same = service({ tokens: [TOKEN, TOKEN], encodingAesKeys: [KEY, KEY] });

    expect(same.open(ciphertext, signed(ciphertext))).toEqual({ xml: EVENT, tokenIndex: 0, keyIndex: 0 });
  });

  it('refuses what was signed with a third token', () => {
    const ciphertext = seal(EVENT);

    expect(rejection(() => rotating.open(ciphertext, signed(ciphertext, {}, 'another')))).toBe('SIGNATURE_MISMATCH');
  });

  it('gives the reason of the key that came furthest', () => {
    const ciphertext = encrypt(pad(frame(EVENT, { appId: 'wx2c2769f8efd9abc2' })), OLD_KEY);

    expect(rejection(() => rotating.open(ciphertext, signed(ciphertext)))).toBe('APP_ID_MISMATCH');
  });
});

describe('CryptoService is not built', () => {
  it.each([
    ['without a token', { tokens: [] }],
    ['without a key', { encodingAesKeys: [] }],
    ['with a key that is too short', { encodingAesKeys: [KEY.slice(1)] }],
    ['with a key that is too long', { encodingAesKeys: [`${KEY}A`] }],
    ['with a key that is not base64', { encodingAesKeys: [KEY.replace('c', '-')] }],
  ])('%s', (_case, config) => {
    expect(() => service(config)).toThrow(TypeError);
  });

  it('and does not tell the key it complains about', () => {
    expect(() => service({ encodingAesKeys: ['tellnobody'] })).not.toThrow(/tellnobody/);
  });
});
