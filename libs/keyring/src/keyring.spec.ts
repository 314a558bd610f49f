import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { parseEncryptionKeys } from './encryption-keys.js';
import { Keyring } from './keyring.js';

const coded = (code: string) => expect.objectContaining({ code }) as Error;
const key = (id: string) => ({ id, key: randomBytes(32) });

describe('Keyring', () => {
  const old = key('old');
  const current = key('new');
  const ring = new Keyring([current, old]);

  it('opens what it sealed, whatever the text and the context', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (plain, context) => {
        expect(ring.open(ring.seal(plain, context), context)).toBe(plain);
      }),
    );
  });

  it('opens what an older key sealed, and seals with the first key', () => {
    const sealed = new Keyring([old]).seal('ticket', 'row');
    expect(ring.open(sealed, 'row')).toBe('ticket');
    expect(sealed.startsWith(ring.currentPrefix)).toBe(false);
    expect(ring.seal('ticket', 'row').startsWith(ring.currentPrefix)).toBe(true);
  });

  it('never seals the same text to the same value, and never shows it', () => {
    expect(ring.seal('ticket', 'row')).not.toBe(ring.seal('ticket', 'row'));
    expect(ring.seal('ticket', 'row')).not.toContain('ticket');
  });

  it('refuses a value that was moved to another row', () => {
    expect(() => ring.open(ring.seal('ticket', 'row 1'), 'row 2')).toThrow(coded('DAMAGED'));
  });

  it('refuses a value with any byte changed', () => {
    const sealed = ring.seal('ticket', 'row');
    const start = ring.currentPrefix.length;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 33 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(sealed.slice(start), 'base64url');
        bytes.writeUInt8(bytes.readUInt8(at) ^ flip, at);
        expect(() => ring.open(ring.currentPrefix + bytes.toString('base64url'), 'row')).toThrow(coded('DAMAGED'));
      }),
    );
  });

  it.each(['', 'v1', 'v1.new', 'v1.new.AAAA', 'v2.new.' + 'A'.repeat(60), 'v1.new.' + 'A'.repeat(60) + '.x'])(
    'refuses %j, which nobody sealed',
    (text) => {
      expect(() => ring.open(text, 'row')).toThrow(coded('DAMAGED'));
    },
  );

  it('names the key it lacks', () => {
    const sealed = new Keyring([key('gone')]).seal('ticket', 'row');
    expect(() => ring.open(sealed, 'row')).toThrow(/key id gone/);
  });

  it('refuses to be without a key, with a short key or with two keys of one id', () => {
    expect(() => new Keyring([])).toThrow(coded('NO_KEY'));
    expect(() => new Keyring([{ id: 'a', key: randomBytes(16) }])).toThrow(coded('BAD_KEY'));
    expect(() => new Keyring([key('a'), key('a')])).toThrow(coded('BAD_KEY'));
  });
});

describe('parseEncryptionKeys', () => {
  const base64 = randomBytes(32).toString('base64');

  it('reads every key in its order', () => {
    expect(parseEncryptionKeys(`b:${base64}, a:${base64}`).map(({ id }) => id)).toEqual(['b', 'a']);
  });

  it.each([
    ['', 'entry 1 is not id:key'],
    [base64, 'entry 1 is not id:key'],
    [`a:${base64},b:AAAA`, 'entry 2 has a key of 3 bytes'],
    [`a:${base64},a:${base64}`, 'same id'],
  ])('says what is wrong, never the key', (text, message) => {
    expect(() => parseEncryptionKeys(text)).toThrow(message);
    expect(() => parseEncryptionKeys(text)).not.toThrow(base64);
  });
});
