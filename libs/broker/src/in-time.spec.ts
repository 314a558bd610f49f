import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { inTime } from './in-time.js';

const never = () => new Promise<never>(() => undefined);

describe('what is waited for in time', () => {
  it('is given as it comes, also where it is a failure', async () => {
    const { signal } = new AbortController();
    expect(await inTime(Promise.resolve(7), 1_000, signal)).toBe(7);
    await expect(inTime(Promise.reject(new Error('no')), 1_000, signal)).rejects.toThrow('no');
  });

  it('is given up when the time is over, also when memory was cleared meanwhile', async () => {
    setFlagsFromString('--expose_gc');
    const clearMemory = runInNewContext('gc') as () => void;
    const outcome = inTime(never(), 200, new AbortController().signal).catch(String);
    for (let turn = 0; turn < 3; turn += 1) {
      await sleep(20);
      clearMemory();
    }
    expect(await outcome).toBe('Error: No answer within 200 ms');
  });

  it('is given up when nobody waits for it any more', async () => {
    const stop = new AbortController();
    const outcome = inTime(never(), 60_000, stop.signal).catch(String);
    stop.abort(new Error('shutting down'));
    expect(await outcome).toBe('Error: shutting down');
  });
});
