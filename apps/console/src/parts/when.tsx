import { createStore } from '../store.js';
import { distance, localTime } from '../time.js';

const now = createStore(Date.now());
setInterval(() => void (document.hidden || now.set(Date.now())), 5_000);

/** A moment: how long ago, and the local time; pointing at it shows ISO 8601. */
export function When({ at }: { at: string | null | undefined }) {
  const current = Math.max(now.use(), Date.now());
  if (!at) return <span class="nothing">–</span>;
  const moment = Date.parse(at);
  return (
    <time class="when" dateTime={at} title={at}>
      <span class="ago">{distance(moment, current)}</span> <span class="local">{localTime(moment, current)}</span>
    </time>
  );
}
