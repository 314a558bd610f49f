import { type Platform } from '../answers.js';
import { act } from '../api.js';
import { Act } from '../parts/act.js';
import { Card, Facts } from '../parts/facts.js';
import { Heading } from '../parts/heading.js';
import { Badge, Code, Text } from '../parts/text.js';
import { Trouble } from '../parts/trouble.js';
import { When } from '../parts/when.js';
import { href } from '../route.js';
import { localTime } from '../time.js';
import { useAnswer } from '../use-answer.js';
import { AUTHORIZER_STATUS, HEALTH, toneOf } from '../words.js';
import { Health } from './health.js';
import { Reconciliation } from './reconciliation.js';

const EVERY_MS = 5_000;

/** Whether authorization works, and if not, why and what to do: the page to have open at 3 in the morning. */
export function PlatformView() {
  const answer = useAnswer<Platform>('platform', EVERY_MS);
  const { data: platform, problem, at, reload } = answer;
  const verdict = platform && platform.health !== 'ok' ? HEALTH[platform.health] : undefined;
  return (
    <>
      <div class="title">
        <Heading alarm={problem ? 'Health unknown' : verdict}>Platform</Heading>
        {at !== null && (
          <p class="faint">
            {problem ? 'Last known at' : 'As of'} {localTime(at, at)}, asked every {EVERY_MS / 1000} s
          </p>
        )}
      </div>
      {problem && <Trouble problem={problem} again={reload} />}
      {!platform && !problem && <p class="loading">Loading…</p>}
      {platform && <Health platform={platform} isOld={!!problem} />}
      {platform && <Actions platform={platform} reload={reload} />}
      {platform && <Cards platform={platform} />}
    </>
  );
}

function Actions({ platform: { reasons }, reload }: { platform: Platform; reload: () => void }) {
  const isTicketWanted = reasons.some(({ code }) => code.includes('ticket'));
  return (
    <div class="buttons">
      <Act
        label="Start push ticket"
        isMain={isTicketWanted}
        question="WeChat is asked to begin pushing tickets, or to go on. Where it does already, nothing changes. The first ticket comes within ten minutes."
        run={() => act<{ pushing: 'already_on' | 'restarted' }>('platform/start-push-ticket')}
        tell={({ pushing }) =>
          pushing === 'restarted'
            ? 'WeChat pushes tickets again; the next comes within ten minutes.'
            : 'WeChat was pushing tickets already.'
        }
        onDone={reload}
      />
      <Act
        label="Reconcile all"
        question="Every authorizer is compared with WeChat’s list: the missing are added, the revoked marked, lost credentials restored. It runs beside everything else; a run that is paused goes on."
        run={() => act<{ runId: string }>('authorizers/sync')}
        tell={({ runId }) => `Run ${runId} is under way; its progress is below.`}
        onDone={reload}
      />
    </div>
  );
}

function Cards({ platform }: { platform: Platform }) {
  const { ticket, componentToken, lastPush, authorizers, deadDeliveries, componentAppId } = platform;
  const { token, encodingAesKey } = platform.previousSecrets;
  return (
    <div class="cards">
      <Card title="Ticket">
        <Facts
          of={{
            Received: <When at={ticket.receivedAt} />,
            Made: <When at={ticket.createTime} />,
            Expiry: <When at={ticket.expiresAt} />,
          }}
        />
      </Card>
      <Card title="Component token">
        <Facts
          of={{
            State: <Badge tone={toneOf(componentToken.status)}>{componentToken.status}</Badge>,
            Expiry: <When at={componentToken.expiresAt} />,
          }}
        />
        <LastFailure of={componentToken.lastFailure} />
      </Card>
      <Card title="Last push">
        {lastPush ? (
          <Facts of={{ What: <Code of={lastPush.infoType} />, Received: <When at={lastPush.receivedAt} /> }} />
        ) : (
          <p class="empty">Nothing has been pushed yet.</p>
        )}
        <p>
          <a href={href(['events'])}>All events</a>
        </p>
      </Card>
      <Reconciliation run={platform.lastReconcile} />
      <Card title="Counts">
        <ul class="counts">
          {(['authorized', 'pending', 'unauthorized'] as const).map((status) => (
            <Count
              key={status}
              of={authorizers[status]}
              word={AUTHORIZER_STATUS[status]}
              to={href(['authorizers'], { status })}
            />
          ))}
          <Count of={deadDeliveries} word="Dead deliveries" to={href(['deliveries'])} />
        </ul>
      </Card>
      <Card title="Configuration">
        <Facts
          of={{
            Appid: <Code of={componentAppId} />,
            'Former token': <Former secret={token} />,
            'Former AES key': <Former secret={encodingAesKey} />,
          }}
        />
      </Card>
    </div>
  );
}

function Count({ of, word, to }: { of: number; word: string; to: string }) {
  return (
    <li>
      <a href={to}>
        <strong>{of.toLocaleString('en')}</strong> {word}
      </a>
    </li>
  );
}

function LastFailure({ of }: { of: Platform['componentToken']['lastFailure'] }) {
  if (!of) return null;
  return (
    <div class="note warn">
      <p>
        <Code of={of.api} /> {of.errcode === null ? 'had no answer' : `was refused with ${of.errcode}`}{' '}
        <When at={of.at} />
      </p>
      <p>
        <Text of={of.advice} />
      </p>
      {of.requestIp && (
        <p>
          WeChat saw the address <Code of={of.requestIp} />
        </p>
      )}
    </div>
  );
}

function Former({
  secret: { configured, lastUsedAt, mayBeRemoved },
}: {
  secret: Platform['previousSecrets']['token'];
}) {
  if (!configured) return <>none configured</>;
  return (
    <>
      {mayBeRemoved ? 'not needed any more: remove it' : 'still needed'}; last used <When at={lastUsedAt} />
    </>
  );
}
