import { type Platform } from '../answers.js';
import { Badge } from '../parts/text.js';
import { href } from '../route.js';
import { count, HEALTH, toneOf } from '../words.js';

/** Where to look, by the beginning of a reason's code. */
const WHERE_TO_LOOK: readonly (readonly [code: RegExp, word: string, address: string])[] = [
  [/ticket/, 'Look at the rejections', href(['rejections'])],
  [/^dead_deliveries$/, 'Look at the dead deliveries', href(['deliveries'])],
  [/^open_conflicts$/, 'Settle the conflicts', href(['links'], { conflict: 'open' })],
];

const SUMMARY: Readonly<Record<Platform['health'], string>> = {
  ok: 'Tickets arrive, WeChat can be called, and every subscriber has been told.',
  degraded: 'Authorization works, but somebody should act.',
  down: 'Authorization does not work.',
};

/** How it is in a word, and each reason with what to do. What nobody confirms any more is said to be old. */
export function Health({ platform: { health, reasons }, isOld }: { platform: Platform; isOld: boolean }) {
  const tone = isOld ? 'bad' : toneOf(health);
  return (
    <section class={`health ${tone}`} aria-label="Health">
      <p class="verdict">
        <Badge tone={tone}>{isOld ? 'Unknown' : HEALTH[health]}</Badge>
        <span>
          {isOld ? `It was last known as: ${HEALTH[health]}.` : SUMMARY[health]}{' '}
          {reasons.length > 1 && `There are ${count(reasons.length, 'reason')}.`}
        </span>
      </p>
      {reasons.length > 0 && (
        <ul>
          {reasons.map(({ code, message }) => (
            <li key={code}>
              <p>
                <bdi>{message}</bdi>
              </p>
              <p class="faint">
                <bdi class="code">{code}</bdi>
                {WHERE_TO_LOOK.filter(([each]) => each.test(code)).map(([, word, address]) => (
                  <a key={address} href={address}>
                    {word}
                  </a>
                ))}
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
