import { Turnstile } from './turnstile.js';

const tooLate = () => new Error('too late');

describe('Turnstile', () => {
  it('lets so many run at once, in their order, and goes on after a failure', async () => {
    const turnstile = new Turnstile(2, 60_000);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const work = (id: number) =>
      turnstile.pass(async () => {
        order.push(id);
        most = Math.max(most, (running += 1));
        await new Promise(setImmediate);
        running -= 1;
        if (id === 1) throw new Error('one');
      }, tooLate);
    const results = await Promise.allSettled([0, 1, 2, 3, 4].map(work));
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, true, true]);
    expect([most, order]).toEqual([2, [0, 1, 2, 3, 4]]);
  });

  it('turns away who waits too long, and keeps the place for the next', async () => {
    const turnstile = new Turnstile(1, 10);
    let leave: () => void = () => undefined;
    const first = turnstile.pass(() => new Promise<void>((resolve) => (leave = resolve)), tooLate);
    const work = jest.fn(() => Promise.resolve('done'));
    await expect(turnstile.pass(work, tooLate)).rejects.toThrow('too late');
    leave();
    await first;
    expect(work).not.toHaveBeenCalled();
    expect(await turnstile.pass(work, tooLate)).toBe('done');
  });
});
