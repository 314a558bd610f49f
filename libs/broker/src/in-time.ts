/**
 * What the work comes to, unless it takes longer than so many milliseconds, or the signal says that nobody waits any more.
 *
 * @throws Error when the time is up, or the signal's reason
 */
export async function inTime<T>(work: Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let stop = () => undefined as void;
  // A timer of our own: Node 20 may clear away an AbortSignal.timeout that only AbortSignal.any knows, and then it never fires.
  const givenUp = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${ms} ms`)), ms);
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
