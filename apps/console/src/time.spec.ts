import { distance, fromField, lengthOf, toField } from './time.js';

describe('a distance in time', () => {
  const now = Date.parse('2026-11-21T10:00:00Z');

  it.each([
    [0, 'just now'],
    [-4, 'just now'],
    [5, '5 s ago'],
    [59.9, '59 s ago'],
    [60, '1 min ago'],
    [3_599, '59 min ago'],
    [3_600, '1 h ago'],
    [86_399, '23 h ago'],
    [86_400, '1 day ago'],
    [200_000, '2 days ago'],
    [-90, 'in 1 min'],
    [-700_000, 'in 8 days'],
  ])('of %s seconds is %s', (seconds, words) => {
    expect(distance(now - seconds * 1000, now)).toBe(words);
  });

  it('is never a negative length', () => {
    expect(lengthOf(-3)).toBe('0 s');
  });
});

describe('a field for a moment', () => {
  it('shows the moment that was put in, wherever it is shown', () => {
    expect(fromField(toField('2026-11-21T10:00:07.000Z'))).toBe('2026-11-21T10:00:07.000Z');
  });

  it('is empty for what is no moment, and stands for none then', () => {
    expect([toField('yesterday'), fromField(''), fromField('20261-11-21T10:00:00')]).toEqual(['', '', '']);
  });
});
