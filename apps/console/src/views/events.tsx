import { type Page, type Push } from '../answers.js';
import { type Filter, Filters } from '../parts/filters.js';
import { Heading } from '../parts/heading.js';
import { Listing } from '../parts/listing.js';
import { type Column } from '../parts/table.js';
import { Badge, Code, Fault } from '../parts/text.js';
import { When } from '../parts/when.js';
import { href, route } from '../route.js';
import { useAnswer } from '../use-answer.js';
import { PUSH_STATUS, toneOf } from '../words.js';

const FILTERS: readonly Filter[] = [
  { name: 'infoType', label: 'InfoType', example: 'unauthorized' },
  { name: 'appId', label: 'Appid of the authorizer', example: 'wx…' },
  { name: 'status', label: 'Status', options: PUSH_STATUS },
  { name: 'from', label: 'Received at or after', kind: 'time' },
  { name: 'to', label: 'Received before', kind: 'time' },
];

export const PUSH_COLUMNS: readonly Column<Push>[] = [
  {
    head: 'Event',
    cell: ({ id, infoType }) => (
      <a class="name" href={href(['events', id])}>
        <bdi class="code">{infoType}</bdi>
      </a>
    ),
  },
  {
    head: 'Account',
    cell: ({ authorizerAppId }) =>
      authorizerAppId ? (
        <a href={href(['authorizers', authorizerAppId])}>
          <Code of={authorizerAppId} />
        </a>
      ) : (
        <span class="faint">the platform</span>
      ),
  },
  { head: 'Status', cell: ({ status }) => <Badge tone={toneOf(status)}>{PUSH_STATUS[status]}</Badge> },
  { head: 'Attempts', cell: ({ attempts }) => attempts },
  { head: 'Last error', cell: ({ lastError }) => <Fault of={lastError} /> },
  { head: 'Received', cell: ({ receivedAt }) => <When at={receivedAt} /> },
];

/** Every push of WeChat. */
export function EventsView() {
  const { query } = route.use();
  const answer = useAnswer<Page<Push>>(`events?${query}`);
  return (
    <>
      <Heading>Events</Heading>
      <Filters of={FILTERS} />
      <Listing
        caption="Pushes of WeChat, the newest first"
        answer={answer}
        columns={PUSH_COLUMNS}
        empty={
          query.size > 0
            ? 'No push fits these filters.'
            : 'WeChat has pushed nothing yet. If it should have, look at the rejections.'
        }
      />
    </>
  );
}
