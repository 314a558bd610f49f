import { spendReport } from './report-measure.js';

describe('reports of dead tokens', () => {
  const MINUTE = 60_000;

  it('count five times at once, then once a minute', () => {
    let spentUntil: Date | null = null;
    const counts = (now: number) => {
      const next = spendReport(spentUntil, now);
      spentUntil = next ?? spentUntil;
      return next !== null;
    };
    expect(Array.from({ length: 7 }, () => counts(0))).toEqual([true, true, true, true, true, false, false]);
    expect([counts(MINUTE - 1), counts(MINUTE), counts(MINUTE)]).toEqual([false, true, false]);
    expect(Array.from({ length: 6 }, () => counts(60 * MINUTE))).toEqual([true, true, true, true, true, false]);
  });
});
