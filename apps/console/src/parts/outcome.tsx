import { createStore } from '../store.js';

/** What came of the last action; null once it has been seen. */
export const outcome = createStore<string | null>(null);

/** Always there, so that screen readers notice when it changes. */
export function Outcome() {
  const text = outcome.use();
  return (
    <div class="outcome" role="status" aria-live="polite">
      {text && (
        <p>
          <bdi>{text}</bdi>
          <button type="button" onClick={() => outcome.set(null)}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}
