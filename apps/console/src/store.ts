import { useEffect, useState } from 'preact/hooks';

/** One value that several components show. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  /** The value, in a component: it is drawn again whenever the value changes. */
  use(): T;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<(value: T) => void>();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const listener of listeners) listener(next);
    },
    use() {
      const [shown, show] = useState<T>(() => value);
      useEffect(() => {
        const listener = (next: T) => show(() => next);
        listeners.add(listener);
        listener(value); // It may have changed between drawing and listening.
        return () => void listeners.delete(listener);
      }, []);
      return shown;
    },
  };
}
