import { type Caller } from './answers.js';
import { type Problem } from './problem.js';
import { createStore } from './store.js';

const NAME = 'console.key';

export interface Session {
  readonly key: string | null;
  /** Whose key it is; null until the API has said so. */
  readonly caller: Caller | null;
  /** Why there is no caller. */
  readonly problem: Problem | null;
}

/** The key is kept for this tab alone, and gone with it. */
export const session = createStore<Session>({ key: sessionStorage.getItem(NAME), caller: null, problem: null });

export function enterKey(key: string): void {
  sessionStorage.setItem(NAME, key);
  session.set({ key, caller: null, problem: null });
}

/** Forgets the key; the problem says why, where it was not the user's wish. */
export function leave(problem: Problem | null = null): void {
  sessionStorage.removeItem(NAME);
  session.set({ key: null, caller: null, problem });
}

/** Takes a key out of `#key=…`, and out of the address bar and the history. A fragment is never sent to a server. */
export function takeKeyFromAddress(): void {
  const key = /^#key=(.+)$/.exec(location.hash)?.[1];
  if (!key) return;
  history.replaceState(null, '', location.pathname);
  enterKey(key);
}
