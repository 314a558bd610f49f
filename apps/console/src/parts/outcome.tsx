import { createStore } from '../store.js';
import { type Tone } from '../words.js';

/** What came of the last action; null once it has been seen. */
export const outcome = createStore<{ readonly text: string; readonly tone: Tone } | null>(null);

/** Always there, so that screen readers notice when it changes. */
export function Outcome() {
  const told = outcome.use();
  return (
    <div class="outcome" role="status" aria-live="polite">
      {told && (
        <p class={told.tone}>
          <bdi>{told.text}</bdi>
          <button type="button" onClick={() => outcome.set(null)}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}
