import { type Authorizer, type Page } from '../answers.js';
import { download } from '../api.js';
import { Act } from '../parts/act.js';
import { type Filter, Filters } from '../parts/filters.js';
import { Heading } from '../parts/heading.js';
import { Listing } from '../parts/listing.js';
import { type Column } from '../parts/table.js';
import { Badge, Code, Text } from '../parts/text.js';
import { When } from '../parts/when.js';
import { href, route } from '../route.js';
import { useAnswer } from '../use-answer.js';
import { ACCOUNT_TYPE, ATTENTION, AUTHORIZER_STATUS, toneOf } from '../words.js';

const FILTERS: readonly Filter[] = [
  { name: 'q', label: 'Name, principal, appid or user name begins with', kind: 'search' },
  { name: 'status', label: 'Status', options: AUTHORIZER_STATUS },
  { name: 'accountType', label: 'Kind of account', options: ACCOUNT_TYPE },
  { name: 'attention', label: 'Attention', options: ATTENTION },
  { name: 'permission', label: 'Permission id', kind: 'number' },
  { name: 'tenantId', label: 'Tenant' },
];

const COLUMNS: readonly Column<Authorizer>[] = [
  {
    head: 'Account',
    cell: ({ appId, nickName }) => (
      <>
        <a class="name" href={href(['authorizers', appId])}>
          <bdi class="text">{nickName ?? appId}</bdi>
        </a>
        <Code of={appId} />
      </>
    ),
  },
  {
    head: 'Status',
    cell: ({ status, attention }) => (
      <>
        <Badge tone={toneOf(status)}>{AUTHORIZER_STATUS[status]}</Badge>
        {attention && <Badge tone="warn">{ATTENTION[attention]}</Badge>}
      </>
    ),
  },
  { head: 'Kind', cell: ({ accountType }) => ACCOUNT_TYPE[accountType] },
  { head: 'Principal', cell: ({ principalName }) => <Text of={principalName} /> },
  { head: 'Tenant', cell: ({ tenantId }) => <Text of={tenantId} /> },
  {
    head: 'Credential',
    cell: ({ credential: { status } }) => <Badge tone={toneOf(status)}>{status}</Badge>,
  },
  { head: 'Last event', cell: ({ lastEventAt }) => <When at={lastEventAt} /> },
];

/** Who has authorized the platform. */
export function AuthorizersView() {
  const { query } = route.use();
  const answer = useAnswer<Page<Authorizer>>(`authorizers?${query}`);
  const filter = new URLSearchParams([...query].filter(([name]) => name !== 'cursor' && name !== 'limit'));
  return (
    <>
      <div class="title">
        <Heading>Authorizers</Heading>
        <Act
          label="Export as CSV"
          question={`${filter.size > 0 ? 'All that the filters leave' : 'The whole list'} is saved as a file on this device. The audit notes it.`}
          run={() => download(`authorizers.csv?${filter}`)}
          tell={(name) => `Saved: ${name}`}
        />
      </div>
      <Filters of={FILTERS} />
      <Listing
        caption="Authorizers"
        answer={answer}
        columns={COLUMNS}
        empty={
          filter.size > 0
            ? 'Nobody fits these filters.'
            : 'Nobody has authorized yet. Make a link and send it to a merchant.'
        }
      />
    </>
  );
}
