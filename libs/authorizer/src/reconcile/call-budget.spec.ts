import { CallBudget } from './call-budget.js';

describe('CallBudget', () => {
  it('lets the first call go at once and spaces the others', async () => {
    const budget = new CallBudget(3_000);
    const { signal } = new AbortController();
    const start = performance.now();
    for (let call = 0; call < 6; call += 1) await budget.take(signal);
    // Five pauses of 20 ms; timers may be a little early, never a whole pause.
    expect(performance.now() - start).toBeGreaterThan(90);
  });

  it('does not save up what was not used', async () => {
    let now = 0;
    const budget = new CallBudget(60, () => now);
    const abort = new AbortController();
    await budget.take(abort.signal);
    now += 3_600_000;
    await budget.take(abort.signal);
    const third = budget.take(abort.signal);
    abort.abort(new Error('stopped'));
    await expect(third).rejects.toThrow();
  });

  it('gives up waiting when it is told to', async () => {
    const budget = new CallBudget(1);
    const abort = new AbortController();
    await budget.take(abort.signal);
    const waiting = budget.take(abort.signal);
    abort.abort();
    await expect(waiting).rejects.toThrow();
    await expect(budget.take(abort.signal)).rejects.toThrow();
  });
});
