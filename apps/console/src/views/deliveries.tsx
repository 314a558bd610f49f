import { type Delivery, type Page } from '../answers.js';
import { type Filter, Filters } from '../parts/filters.js';
import { Heading } from '../parts/heading.js';
import { Listing } from '../parts/listing.js';
import { type Column } from '../parts/table.js';
import { Badge, Code, Fault } from '../parts/text.js';
import { When } from '../parts/when.js';
import { href, route } from '../route.js';
import { useAnswer } from '../use-answer.js';
import { count, DELIVERY_STATUS, toneOf } from '../words.js';
import { RetryAll, RetryDelivery, TellAgain } from './retry.js';

const FILTERS: readonly Filter[] = [
  { name: 'status', label: 'Status', options: DELIVERY_STATUS, usual: 'dead' },
  { name: 'subscriber', label: 'Subscriber' },
];

/** Deliveries of events to subscribers: those that were given up, unless others are asked for. */
export function DeliveriesView() {
  const { query } = route.use();
  const answer = useAnswer<Page<Delivery>>(`deliveries?${query}`);
  const { data, reload } = answer;
  const isUsual = (query.get('status') ?? 'dead') === 'dead' && !query.has('subscriber');
  const deadOf = new Set(data?.items.filter(({ status }) => status === 'dead').map(({ subscriber }) => subscriber));
  return (
    <>
      <div class="title">
        <Heading>Deliveries</Heading>
        <div class="buttons">
          {[...deadOf].map((subscriber) => (
            <RetryAll key={subscriber} subscriber={subscriber} onDone={reload} />
          ))}
        </div>
      </div>
      <Filters of={FILTERS} />
      <Listing
        caption="Deliveries, the newest first"
        answer={answer}
        columns={columns(reload)}
        empty={isUsual ? 'Nothing has been given up.' : 'No delivery fits these filters.'}
      />
    </>
  );
}

function columns(reload: () => void): Column<Delivery>[] {
  return [
    { head: 'Subscriber', cell: ({ subscriber }) => <Code of={subscriber} /> },
    { head: 'Event', cell: (delivery) => <EventOf {...delivery} /> },
    {
      head: 'Status',
      cell: ({ status, attempts }) => (
        <>
          <Badge tone={toneOf(status)}>{DELIVERY_STATUS[status]}</Badge>
          <span class="faint">{count(attempts, 'attempt')}</span>
        </>
      ),
    },
    { head: 'Last error', cell: ({ lastError }) => <Fault of={lastError} /> },
    {
      head: 'Created, finished or due',
      cell: ({ createdAt, finishedAt, dueAt }) => (
        <>
          <When at={createdAt} />
          <When at={finishedAt ?? dueAt} />
        </>
      ),
    },
    {
      head: 'Action',
      cell: (delivery) => (
        <>
          {delivery.status === 'dead' && <RetryDelivery delivery={delivery} onDone={reload} />}
          {delivery.status === 'done' && <TellAgain delivery={delivery} onDone={reload} />}
        </>
      ),
    },
  ];
}

/** Only pushes have a page: what we announce ourselves is told by its account. */
function EventOf({ eventId, type, authorizerAppId }: Delivery) {
  return (
    <>
      {type.startsWith('wechat.') ? (
        <a href={href(['events', eventId])}>
          <Code of={type} />
        </a>
      ) : (
        <Code of={type} />
      )}{' '}
      {authorizerAppId && (
        <a class="faint" href={href(['authorizers', authorizerAppId])}>
          <Code of={authorizerAppId} />
        </a>
      )}
    </>
  );
}
