import { type Delivery } from '../answers.js';
import { act } from '../api.js';
import { Act } from '../parts/act.js';
import { count } from '../words.js';

interface Started {
  readonly deliveries: number;
}

/** Tries one dead delivery again. */
export function RetryDelivery({
  delivery,
  onDone,
}: {
  delivery: Pick<Delivery, 'id' | 'subscriber'>;
  onDone: () => void;
}) {
  const { id, subscriber } = delivery;
  return (
    <Act
      label="Retry"
      name={`Retry delivery ${id} to ${subscriber}`}
      question={
        <>
          Delivery {id} is tried again by <bdi class="code">{subscriber}</bdi>, at once and with a whole new schedule.
        </>
      }
      run={() => act<Started>(`deliveries/${encodeURIComponent(id)}/retry`)}
      tell={() => `Delivery ${id} is tried again.`}
      onDone={onDone}
    />
  );
}

/** Tries everything again that one subscriber gave up. */
export function RetryAll({ subscriber, onDone }: { subscriber: string; onDone: () => void }) {
  return (
    <Act
      label={`Retry all of ${subscriber}`}
      question={
        <>
          Everything that <bdi class="code">{subscriber}</bdi> gave up is tried again, the oldest first. Mend the
          subscriber before.
        </>
      }
      run={() => act<Started>('deliveries/retry', { subscriber })}
      tell={({ deliveries }) => `${count(deliveries, 'delivery is', 'deliveries are')} tried again.`}
      onDone={onDone}
    />
  );
}

/** Has a subscriber that was told be told again. */
export function TellAgain({ delivery, onDone }: { delivery: Delivery; onDone: () => void }) {
  const { eventId, subscriber, type } = delivery;
  return (
    <Act
      label="Replay"
      name={`Replay ${type} to ${subscriber}`}
      question={
        <>
          <bdi class="code">{subscriber}</bdi> handles this <bdi class="code">{type}</bdi> again.
        </>
      }
      run={() => act<Started>(`events/${eventId}/replay`, { subscribers: [subscriber] })}
      tell={({ deliveries }) => `${count(deliveries, 'subscriber is', 'subscribers are')} told again.`}
      onDone={onDone}
    />
  );
}
