import { RecentlyAsked } from './recently-asked.js';

const HOUR = 3_600_000;
const AHEAD = HOUR / 4;

describe('RecentlyAsked', () => {
  let now = 0;
  const asked = new RecentlyAsked(() => now);
  const due = () => asked.due(HOUR, AHEAD);

  it('names an account when its token is about to end, until that is renewed', () => {
    asked.note('a', new Date(now + AHEAD + 1));
    expect(due()).toEqual([]);
    now += 1;
    expect(due()).toEqual(['a']);
    asked.renewed('a', new Date(now + 2 * HOUR));
    expect(due()).toEqual([]);
  });

  it('forgets an account nobody asks for any more, though its token was renewed', () => {
    asked.note('b', new Date(now + AHEAD));
    now += HOUR + 1;
    expect(due()).toEqual([]);
    asked.renewed('b', new Date(now));
    expect(due()).toEqual([]);
  });

  it('remembers a bounded number of accounts', () => {
    for (let i = 0; i < 10_050; i += 1) asked.note(`wx${i}`, new Date(now));
    expect(due()).toHaveLength(10_000);
    expect(due()).not.toContain('wx0');
  });
});
