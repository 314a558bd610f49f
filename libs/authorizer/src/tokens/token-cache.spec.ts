import { TokenCache } from './token-cache.js';

const MINUTE = 60_000;

describe('TokenCache', () => {
  let now: number;
  let cache: TokenCache;
  const token = (text: string, minutes = 120) => ({ token: text, expiresAt: new Date(now + minutes * MINUTE) });
  const keep = (appId: string, text: string, minutes?: number) =>
    cache.settle(cache.reserve(appId), token(text, minutes));
  const found = (appId: string, minLeftMs = 0) => cache.find(appId, minLeftMs)?.token ?? null;
  beforeEach(() => {
    now = Date.parse('2026-11-21T10:00:00Z');
    cache = new TokenCache(() => now, 3);
    cache.open();
  });

  it('finds a token only while enough of it is left', () => {
    keep('a', 'one', 10);
    expect(found('a', 5 * MINUTE)).toBe('one');
    expect(found('a', 10 * MINUTE)).toBeNull();
  });

  it('trusts no token for longer than a minute, however good it is', () => {
    keep('a', 'one');
    now += MINUTE;
    expect(found('a')).toBe('one');
    now += 1;
    expect(found('a')).toBeNull();
  });

  it('forgets the account that was not asked for the longest', () => {
    for (const appId of ['a', 'b', 'c']) keep(appId, appId);
    found('a');
    keep('d', 'd');
    expect(['a', 'b', 'c', 'd'].map((appId) => found(appId))).toEqual(['a', null, 'c', 'd']);
  });

  it('does not keep a token that was read before its account changed', () => {
    const reservation = cache.reserve('a');
    cache.drop('a');
    cache.settle(reservation, token('old'));
    expect(found('a')).toBeNull();
  });

  it('keeps a token though another account changed meanwhile', () => {
    const reservation = cache.reserve('a');
    cache.drop('b');
    cache.settle(reservation, token('one'));
    expect(found('a')).toBe('one');
  });

  it('holds nothing from the loss of the news until they are back, nor what was read in between', () => {
    keep('a', 'one');
    const before = cache.reserve('b');
    cache.close();
    keep('c', 'three');
    const between = cache.reserve('d');
    cache.open();
    cache.settle(before, token('two'));
    cache.settle(between, token('four'));
    expect(['a', 'b', 'c', 'd'].map((appId) => found(appId))).toEqual([null, null, null, null]);
    keep('a', 'new');
    expect(found('a')).toBe('new');
  });
});
