import { useState } from 'preact/hooks';
import { type PushDetail } from '../answers.js';
import { act } from '../api.js';
import { Act } from '../parts/act.js';
import { count } from '../words.js';

/** Has an event handled again: by everybody it was delivered to, or by those that are chosen. */
export function Replay({ push: { id, deliveries }, onDone }: { push: PushDetail; onDone: () => void }) {
  const [chosen, choose] = useState<readonly string[]>([]);
  const [other, setOther] = useState('');
  const toggle = (name: string) =>
    choose(chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]);
  const subscribers = [...chosen, ...(other.trim() === '' ? [] : [other.trim()])];
  return (
    <Act
      label="Replay"
      question="The event is handled again. With nobody chosen, by every subscriber it was delivered to; what is still under way is not doubled."
      run={() =>
        act<{ deliveries: number }>(`events/${id}/replay`, subscribers.length > 0 ? { subscribers } : undefined)
      }
      tell={({ deliveries: told }) => `${count(told, 'subscriber is', 'subscribers are')} told again.`}
      onDone={onDone}
    >
      {deliveries.length > 0 && (
        <fieldset>
          <legend>Only these subscribers</legend>
          {deliveries.map(({ subscriber }) => (
            <label key={subscriber} class="check">
              <input type="checkbox" checked={chosen.includes(subscriber)} onChange={() => toggle(subscriber)} />
              <bdi class="code">{subscriber}</bdi>
            </label>
          ))}
        </fieldset>
      )}
      <label>
        <span>A subscriber that came later, by its name</span>
        <input
          value={other}
          onInput={(event) => setOther(event.currentTarget.value)}
          autocomplete="off"
          spellcheck={false}
        />
      </label>
    </Act>
  );
}
