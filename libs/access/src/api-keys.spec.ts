import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { ApiKeyRing, createApiKey, parseApiKeys } from './api-keys.js';

const digestOf = (key: string) => createHash('sha256').update(key).digest('hex');

describe('parseApiKeys', () => {
  const a = digestOf('a');
  const b = digestOf('b');

  it('reads every entry, with blanks and line breaks around it', () => {
    expect(parseApiKeys(` console:viewer:${a} ,\n crm:service:${b}`)).toEqual([
      { name: 'console', role: 'viewer', sha256: a },
      { name: 'crm', role: 'service', sha256: b },
    ]);
  });

  it.each(['', '   ', '\n'])('reads %j as no keys', (text) => {
    expect(parseApiKeys(text)).toEqual([]);
  });

  it('takes two keys of one name, for the days of a rotation', () => {
    expect(parseApiKeys(`ops:operator:${a},ops:operator:${b}`)).toHaveLength(2);
  });

  it.each([
    ['console', 'entry 1 is not name:role:sha256'],
    [`ok:viewer:${a},`, 'entry 2 is not name:role:sha256'],
    [`a:viewer:${a}:x`, 'entry 1 is not name:role:sha256'],
    [`:viewer:${a}`, 'entry 1 has a name that must be'],
    [`a b:viewer:${a}`, 'entry 1 has a name that must be'],
    [`ok:viewer:${a},x:admin:${b}`, 'entry 2 needs one of the roles viewer, operator, service'],
    [`ok:viewer:${a},x:Viewer:${b}`, 'entry 2 needs one of the roles'],
    [`ok:viewer:${a.toUpperCase()}`, 'entry 1 needs a sha256'],
    ['ok:viewer:the-key-itself-by-mistake', 'entry 1 needs a sha256'],
    [`ok:viewer:${a.slice(1)}`, 'entry 1 needs a sha256'],
    [`x:viewer:${a},y:operator:${a}`, 'entry 2 has the same sha256'],
  ])('names the entry of %j that is wrong', (text, message) => {
    expect(() => parseApiKeys(text)).toThrow(message);
  });

  it('names all of them at once', () => {
    expect(() => parseApiKeys(`x:nobody:${a},y:viewer:short`)).toThrow(/entry 1 .*; entry 2 /);
  });

  it('never quotes what it refuses', () => {
    for (const text of [
      `${a}`,
      `x:viewer:${a}:${b}`,
      `x:${a}:viewer`,
      `${a}:viewer:${a}${b}`,
      `${a}:${b}:secret-key-1`,
    ]) {
      const message = messageOf(() => parseApiKeys(text));
      expect(message).not.toMatch(/[0-9a-f]{16}|secret-key-1/);
    }
  });
});

describe('createApiKey', () => {
  it('makes a key that its entry lets in', () => {
    const { key, entry } = createApiKey('ops', 'operator');
    const ring = new ApiKeyRing(parseApiKeys(entry));
    expect(ring.find(key)).toMatchObject({ name: 'ops', role: 'operator' });
    expect(entry).not.toContain(key);
    expect(Buffer.from(key, 'base64url')).toHaveLength(32);
  });

  it('never makes the same key twice', () => {
    expect(new Set(Array.from({ length: 100 }, () => createApiKey('a', 'viewer').key)).size).toBe(100);
  });

  it('refuses a name that ADMIN_API_KEYS cannot hold', () => {
    for (const name of ['a:b', 'a,b', 'a b', ''])
      expect(() => createApiKey(name, 'viewer')).toThrow('The name must be');
  });
});

describe('ApiKeyRing', () => {
  const made = Array.from({ length: 5_000 }, (_, index) => createApiKey(`k${index}`, 'viewer'));
  const ring = new ApiKeyRing(made.slice(0, 50).flatMap(({ entry }) => parseApiKeys(entry)));

  it('finds the owner of each of its keys, and of none of thousands of others', () => {
    expect(made.map(({ key }) => ring.find(key)?.name ?? null)).toEqual(
      made.map((_, index) => (index < 50 ? `k${index}` : null)),
    );
  });

  it('finds nobody for what is nearly a key, or the digest of one', () => {
    const [{ key, entry }] = made as [{ key: string; entry: string }];
    for (const near of [key.slice(1), `${key}x`, `${key} `, key.toLowerCase(), entry, entry.split(':')[2] ?? '', '']) {
      expect(ring.find(near)).toBeNull();
    }
  });

  it('finds nobody for any other text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => expect(ring.find(text)).toBeNull()));
  });

  it('lets the old and the new key in while both are listed', () => {
    const [old, fresh] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
    const both = new ApiKeyRing(parseApiKeys(`ops:viewer:${digestOf(old)},ops:operator:${digestOf(fresh)}`));
    expect(both.find(old)).toMatchObject({ name: 'ops', role: 'viewer' });
    expect(both.find(fresh)).toMatchObject({ name: 'ops', role: 'operator' });
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}
