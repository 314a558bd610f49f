import { addressGroup, RateLimiter } from './rate-limiter.js';

describe('RateLimiter', () => {
  let now = 0;
  const limiter = (burst: number, perSecond: number) => new RateLimiter({ burst, perSecond }, () => now);

  it('allows a burst, then says how many seconds to wait', () => {
    const limit = limiter(3, 0.5);
    expect([1, 2, 3, 4].map(() => limit.take('a'))).toEqual([0, 0, 0, 2]);
  });

  it('fills again with time, never above the burst', () => {
    const limit = limiter(2, 1);
    limit.take('a');
    limit.take('a');
    now += 1_000;
    expect([limit.take('a'), limit.take('a')]).toEqual([0, 1]);
    now += 3_600_000;
    expect([1, 2, 3].map(() => limit.take('a'))).toEqual([0, 0, 1]);
  });

  it('does not make those wait longer who do not wait', () => {
    const limit = limiter(1, 1);
    limit.take('a');
    for (let i = 0; i < 100; i++) limit.take('a');
    now += 1_000;
    expect(limit.take('a')).toBe(0);
  });

  it('keeps names apart', () => {
    const limit = limiter(1, 1);
    expect([limit.take('a'), limit.take('b'), limit.take('a')]).toEqual([0, 0, 1]);
  });

  it('survives a clock that is set back', () => {
    const limit = limiter(1, 1);
    limit.take('a');
    now -= 3_600_000;
    expect(limit.take('a')).toBe(1);
    now += 1_000;
    expect(limit.take('a')).toBe(0);
  });

  it('keeps a bounded number of buckets, those used last', () => {
    const limit = limiter(1, 0.001);
    expect(limit.take('regular')).toBe(0);
    for (let i = 0; i < 30_000; i++) {
      limit.take(`stranger ${i}`);
      if (i % 5_000 === 0) expect(limit.take('regular')).toBeGreaterThan(0);
    }
    expect(limit.size).toBe(10_000);
    expect(limit.take('stranger 0')).toBe(0);
  });
});

describe('addressGroup', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['192.0.2.7:49152', '192.0.2.7'],
    ['[2001:db8:1:2:3:4:5:6]:49152', '2001:db8:1:2::/64'],
    ['[::ffff:192.0.2.7]', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['not an address', 'not an address'],
  ])('puts %s into %s', (ip, group) => {
    expect(addressGroup(ip)).toBe(group);
  });
});
