import { type Link, type Page } from '../answers.js';
import { Copy } from '../parts/copy.js';
import { type Filter, Filters } from '../parts/filters.js';
import { Heading } from '../parts/heading.js';
import { Listing } from '../parts/listing.js';
import { type Column } from '../parts/table.js';
import { Badge, Code, Text } from '../parts/text.js';
import { When } from '../parts/when.js';
import { href, route } from '../route.js';
import { useAnswer } from '../use-answer.js';
import { AUTH_TYPE, LINK_STATUS, toneOf } from '../words.js';
import { Conflict } from './conflict.js';

const FILTERS: readonly Filter[] = [
  { name: 'status', label: 'Status', options: LINK_STATUS },
  { name: 'tenantId', label: 'Tenant' },
  { name: 'conflict', label: 'Conflict', options: { open: 'Waits for a decision' } },
];

/** Links for merchants, and what became of them. */
export function LinksView() {
  const { query } = route.use();
  const answer = useAnswer<Page<Link>>(`authorization-links?${query}`);
  return (
    <>
      <div class="title">
        <Heading>Links</Heading>
        <a class="button main" href={href(['links', 'new'])}>
          New link
        </a>
      </div>
      <Filters of={FILTERS} />
      <Listing
        caption="Links, the newest first"
        answer={answer}
        columns={columns(answer.reload)}
        empty={query.size > 0 ? 'No link fits these filters.' : 'No link has been made yet.'}
      />
    </>
  );
}

function columns(reload: () => void): Column<Link>[] {
  return [
    { head: 'For', cell: (link) => <Wish {...link} /> },
    {
      head: 'Status',
      cell: ({ status, conflicts }) => (
        <>
          <Badge tone={toneOf(status)}>{LINK_STATUS[status]}</Badge>
          {conflicts.some(({ resolution }) => resolution === null) && <Badge tone="warn">Conflict</Badge>}
        </>
      ),
    },
    { head: 'What came', cell: (link) => <WhatCame link={link} reload={reload} /> },
    {
      head: 'Made',
      cell: ({ createdAt, createdBy }) => (
        <>
          <When at={createdAt} />
          <span class="faint">
            by <bdi>{createdBy}</bdi>
          </span>
        </>
      ),
    },
    { head: 'Expires', cell: ({ expiresAt }) => <When at={expiresAt} /> },
    { head: 'Address', cell: ({ url, id }) => <Copy address={url} label={`Address of the link ${id}`} /> },
  ];
}

function Wish({ tenantId, state, authType, authorizerAppId, authorizer, permissionIds, returnUrl }: Link) {
  return (
    <ul class="plain">
      <li>{tenantId ? <Text of={tenantId} /> : <span class="faint">no tenant</span>}</li>
      {state && (
        <li class="faint">
          state <Text of={state} />
        </li>
      )}
      {authType && <li class="faint">{AUTH_TYPE[authType]}</li>}
      {authorizerAppId && !authorizer && (
        <li class="faint">
          only <Code of={authorizerAppId} />
        </li>
      )}
      {permissionIds.length > 0 && <li class="faint">permissions {permissionIds.join(', ')}</li>}
      {returnUrl && (
        <li class="faint">
          back to <Text of={returnUrl} />
        </li>
      )}
    </ul>
  );
}

function WhatCame({ link, reload }: { link: Link; reload: () => void }) {
  const { authorizer, completedAt, conflicts } = link;
  if (!authorizer && conflicts.length === 0) return <span class="nothing">–</span>;
  return (
    <ul class="plain">
      {authorizer && (
        <li>
          <a href={href(['authorizers', authorizer.appId])}>
            <Text of={authorizer.nickName ?? authorizer.appId} />
          </a>{' '}
          <When at={completedAt} />
        </li>
      )}
      {conflicts.map((conflict) => (
        <li key={conflict.authorizerAppId}>
          <Conflict link={link} conflict={conflict} onDone={reload} />
        </li>
      ))}
    </ul>
  );
}
