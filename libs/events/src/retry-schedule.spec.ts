import { MAX_ATTEMPTS, retryDelaySeconds, takeOverDelays } from './retry-schedule.js';

const delays = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, i) => retryDelaySeconds(i + 1, () => 0));

describe('the retry schedule', () => {
  it('waits a second first and longer each time, an hour at most', () => {
    expect(delays.slice(0, 5)).toEqual([1, 3, 9, 27, 81]);
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(Math.max(...delays)).toBe(3600);
  });

  it('spans a day, and not an hour more', () => {
    const total = delays.reduce((sum, delay) => sum + delay, 0);
    expect(total).toBeLessThanOrEqual(86_400);
    expect(total).toBeGreaterThan(86_400 - 3600);
  });

  it('spreads retries by a tenth at most, and never beyond the hour', () => {
    expect(retryDelaySeconds(1, () => 1)).toBe(1);
    expect(retryDelaySeconds(3, () => 1)).toBeCloseTo(9.9);
    expect(retryDelaySeconds(20, () => 1)).toBe(3600);
  });

  it('lets an event that ends every process wait as one that fails does, but for the first time', () => {
    expect(takeOverDelays((attempt) => attempt * 10).slice(0, 3)).toEqual([0, 20, 30]);
    expect(takeOverDelays(retryDelaySeconds)).toHaveLength(MAX_ATTEMPTS);
  });
});
