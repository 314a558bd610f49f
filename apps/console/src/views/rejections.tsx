import { type Page, type Rejections } from '../answers.js';
import { Heading } from '../parts/heading.js';
import { Listing } from '../parts/listing.js';
import { type Column, Table } from '../parts/table.js';
import { Code } from '../parts/text.js';
import { When } from '../parts/when.js';
import { route } from '../route.js';
import { useAnswer } from '../use-answer.js';

type Count = Rejections['counts'][number];
type Rejection = Rejections['items'][number];

const COUNTS: readonly Column<Count>[] = [
  { head: 'Reason', cell: ({ reason }) => <Code of={reason} /> },
  { head: 'Count', cell: ({ count }) => <strong>{count.toLocaleString('en')}</strong> },
  { head: 'What to check', cell: ({ check }) => check },
  { head: 'Last', cell: ({ lastAt }) => <When at={lastAt} /> },
  { head: 'First', cell: ({ firstAt }) => <When at={firstAt} /> },
];

const LATEST: readonly Column<Rejection>[] = [
  { head: 'Reason', cell: ({ reason }) => <Code of={reason} /> },
  { head: 'Refused', cell: ({ rejectedAt }) => <When at={rejectedAt} /> },
  { head: 'From', cell: ({ remoteAddress }) => <Code of={remoteAddress} /> },
  { head: 'Appid', cell: ({ appId }) => <Code of={appId} /> },
  { head: 'Its timestamp', cell: ({ timestamp }) => <Code of={timestamp} /> },
  { head: 'Bytes', cell: ({ bodyBytes }) => bodyBytes.toLocaleString('en') },
];

/** What was refused, and why: the place to look when nothing arrives. */
export function RejectionsView() {
  const { query } = route.use();
  const answer = useAnswer<Page<Rejection> & Pick<Rejections, 'counts'>>(`rejections?${query}`);
  const counts = answer.data?.counts ?? [];
  return (
    <>
      <Heading>Rejections</Heading>
      {counts.length > 0 && (
        <section aria-label="By reason">
          <h2>By reason</h2>
          <Table caption="How often each reason has occurred" columns={COUNTS} rows={counts} />
        </section>
      )}
      <section aria-label="The last refused pushes">
        <h2>The last refused pushes</h2>
        <Listing
          caption="The last refused pushes, the newest first"
          answer={answer}
          columns={LATEST}
          empty="No push has been refused. If nothing arrives either, WeChat does not reach us: check the event URL and the way there."
        />
      </section>
    </>
  );
}
