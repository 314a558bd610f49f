const PATIENCE_MS = 5000;
const PAUSE_MS = 5;

/** Looks again until there is something to see. @throws Error with what it waited for. */
export async function eventually<T>(what: string, look: () => T | null | undefined | false): Promise<T> {
  const patienceEnds = performance.now() + PATIENCE_MS;
  while (performance.now() < patienceEnds) {
    const seen = look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error(`Waited ${PATIENCE_MS} ms for ${what}`);
}
