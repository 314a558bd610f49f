import { type PushDetail } from '../answers.js';
import { Card, Facts } from '../parts/facts.js';
import { Heading } from '../parts/heading.js';
import { type Column, Table } from '../parts/table.js';
import { Badge, Code, Fault, Text } from '../parts/text.js';
import { Trouble } from '../parts/trouble.js';
import { When } from '../parts/when.js';
import { href, wayBackTo } from '../route.js';
import { useAnswer } from '../use-answer.js';
import { count, DELIVERY_STATUS, PUSH_STATUS, toneOf } from '../words.js';
import { Replay } from './replay.js';
import { RetryDelivery } from './retry.js';

type DeliveryOfPush = PushDetail['deliveries'][number];

/** Whoever has had something tried again waits here to see what comes of it. */
const EVERY_MS = 5_000;

/** One push: what it said, and who was told. */
export function EventView({ id }: { id: string }) {
  const { data: push, problem, reload } = useAnswer<PushDetail>(`events/${encodeURIComponent(id)}`, EVERY_MS);
  return (
    <>
      <a class="back" href={wayBackTo('events')}>
        ‹ Events
      </a>
      <div class="title">
        <Heading>
          Event <bdi class="code">{push?.infoType ?? id}</bdi>
        </Heading>
        {push && <Replay push={push} onDone={reload} />}
      </div>
      {problem && <Trouble problem={problem} again={reload} />}
      {!problem && !push && <p class="loading">Loading…</p>}
      {push && (
        <div class="cards pair">
          <Card title="Push">
            <Facts of={factsOf(push)} />
          </Card>
          <Card title="Fields">
            <Facts of={fieldsOf(push)} />
          </Card>
          <Card title={count(push.deliveries.length, 'delivery', 'deliveries')} wide>
            {push.deliveries.length > 0 ? (
              <Table caption="Deliveries of this push" columns={columns(reload)} rows={push.deliveries} />
            ) : (
              <p class="empty">Nobody subscribes to this event.</p>
            )}
          </Card>
        </div>
      )}
    </>
  );
}

function factsOf({
  id,
  authorizerAppId,
  status,
  attempts,
  lastError,
  createTime,
  receivedAt,
  processedAt,
}: PushDetail) {
  return {
    Status: <Badge tone={toneOf(status)}>{PUSH_STATUS[status]}</Badge>,
    Account: authorizerAppId ? (
      <a href={href(['authorizers', authorizerAppId])}>
        <Code of={authorizerAppId} />
      </a>
    ) : (
      'the platform'
    ),
    Made: <When at={createTime} />,
    Received: <When at={receivedAt} />,
    Processed: <When at={processedAt} />,
    Attempts: attempts,
    ...(lastError && { 'Last error': <Fault of={lastError} /> }),
    Id: <Code of={id} />,
  };
}

/** Fields are WeChat's: text, or a tree of it. Secrets are masked by the API. */
function fieldsOf({ fields }: PushDetail) {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' ? <Text of={value} /> : <pre>{JSON.stringify(value, null, 2)}</pre>,
    ]),
  );
}

function columns(reload: () => void): Column<DeliveryOfPush>[] {
  return [
    { head: 'Subscriber', cell: ({ subscriber }) => <Code of={subscriber} /> },
    { head: 'Status', cell: ({ status }) => <Badge tone={toneOf(status)}>{DELIVERY_STATUS[status]}</Badge> },
    { head: 'Attempts', cell: ({ attempts }) => attempts },
    { head: 'Last error', cell: ({ lastError }) => <Fault of={lastError} /> },
    { head: 'Next attempt', cell: ({ dueAt }) => <When at={dueAt} /> },
    { head: 'Finished', cell: ({ finishedAt }) => <When at={finishedAt} /> },
    {
      head: 'Action',
      cell: (delivery) => delivery.status === 'dead' && <RetryDelivery delivery={delivery} onDone={reload} />,
    },
  ];
}
