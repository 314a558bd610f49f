import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from './api.js';
import { problemOf, type Problem } from './problem.js';
import { route } from './route.js';

export interface Answer<T> {
  /** What the API said last to this very question. */
  readonly data: T | null;
  /** Why there is nothing newer. */
  readonly problem: Problem | null;
  /** When `data` was answered. */
  readonly at: number | null;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

interface Known<T> {
  readonly path: string;
  readonly data: T | null;
  readonly problem: Problem | null;
  readonly at: number | null;
}

/** Asks the API, again whenever the user goes somewhere, and every so many milliseconds for as long as somebody can see the page. */
export function useAnswer<T>(path: string, everyMs = 0): Answer<T> {
  const [known, setKnown] = useState<Known<T> | null>(null);
  const [round, setRound] = useState(0);
  const [isLoading, setLoading] = useState(true);
  const loading = useRef(true);
  loading.current = isLoading;
  const place = route.use();
  const reload = () => setRound((count) => count + 1);

  useEffect(() => {
    const given = new AbortController();
    setLoading(true);
    ask<T>(path, { signal: given.signal }).then(
      (data) => settle({ path, data, problem: null, at: Date.now() }),
      (error: unknown) =>
        settle((before) => {
          const kept = before?.path === path ? before : { path, data: null, at: null };
          return { ...kept, problem: problemOf(error) };
        }),
    );
    function settle(next: Parameters<typeof setKnown>[0]): void {
      if (given.signal.aborted) return;
      setKnown(next);
      setLoading(false);
    }
    return () => given.abort();
  }, [path, round, place]);

  useEffect(() => {
    if (everyMs === 0) return;
    const look = () => void (document.hidden || loading.current || reload());
    const timer = setInterval(look, everyMs);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [everyMs]);

  const current = known?.path === path ? known : null;
  const { data = null, problem = null, at = null } = current ?? {};
  return { data, problem, at, isLoading: isLoading || !current, reload };
}
