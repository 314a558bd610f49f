import { type AuditEntry, type Page } from '../answers.js';
import { type Filter, Filters } from '../parts/filters.js';
import { Heading } from '../parts/heading.js';
import { Listing } from '../parts/listing.js';
import { type Column } from '../parts/table.js';
import { Badge, Code, Text } from '../parts/text.js';
import { When } from '../parts/when.js';
import { href, route } from '../route.js';
import { lengthOf } from '../time.js';
import { useAnswer } from '../use-answer.js';
import { OUTCOME, toneOf } from '../words.js';

const FILTERS: readonly Filter[] = [
  { name: 'actor', label: 'Who' },
  { name: 'action', label: 'Action', example: 'authorizer.sync' },
  { name: 'target', label: 'Target' },
  { name: 'from', label: 'At or after', kind: 'time' },
  { name: 'to', label: 'Before', kind: 'time' },
];

const COLUMNS: readonly Column<AuditEntry>[] = [
  { head: 'When', cell: ({ at }) => <When at={at} /> },
  {
    head: 'Who',
    cell: ({ actor: { name, kind, role } }) => (
      <>
        <Text of={name} />{' '}
        <span class="faint">
          {role}, {kind === 'api-key' ? 'by key' : 'by token'}
        </span>
      </>
    ),
  },
  { head: 'Action', cell: ({ action }) => <Code of={action} /> },
  { head: 'Target', cell: (entry) => <Target {...entry} /> },
  { head: 'From', cell: ({ address }) => <Code of={address} /> },
  {
    head: 'Outcome',
    cell: ({ outcome, ...entry }) => (
      <>
        <Badge tone={toneOf(outcome)}>{OUTCOME[outcome]}</Badge>
        <span class="faint">{ending(entry)}</span>
      </>
    ),
  },
];

/** Every action: who, what, when, from where, and what came of it. */
export function AuditView() {
  const { query } = route.use();
  const answer = useAnswer<Page<AuditEntry>>(`audit?${query}`);
  return (
    <>
      <Heading>Audit</Heading>
      <Filters of={FILTERS} />
      <Listing
        caption="Actions, the newest first"
        answer={answer}
        columns={COLUMNS}
        empty={query.size > 0 ? 'No action fits these filters.' : 'Nobody has done anything yet.'}
      />
    </>
  );
}

/** With what it ended, and how long it took where that is worth a word. */
function ending({ status, code, at, finishedAt }: Pick<AuditEntry, 'status' | 'code' | 'at' | 'finishedAt'>): string {
  const seconds = finishedAt === null ? 0 : (Date.parse(finishedAt) - Date.parse(at)) / 1000;
  return [status, code, seconds >= 1 && `took ${lengthOf(seconds)}`].filter(Boolean).join(' · ');
}

/** Only accounts have a page for certain: of a replayed event nobody says here whether it is a push. */
function Target({ action, target }: AuditEntry) {
  if (action !== 'authorizer.sync' || !target) return <Code of={target} />;
  return (
    <a href={href(['authorizers', target])}>
      <Code of={target} />
    </a>
  );
}
