import { type ComponentChildren } from 'preact';
import { type Page } from '../answers.js';
import { changed, href, route } from '../route.js';
import { type Answer } from '../use-answer.js';
import { type Column, Table } from './table.js';
import { Trouble } from './trouble.js';

interface ListingProps<T> {
  readonly caption: string;
  readonly answer: Answer<Page<T>>;
  readonly columns: readonly Column<T>[];
  /** What it means that there is nothing, on this page and on any other. */
  readonly empty: ComponentChildren;
}

/** One page of a list, and the way to the next. */
export function Listing<T>({ caption, answer, columns, empty }: ListingProps<T>) {
  const { data, problem, reload } = answer;
  const isWhole = !route.use().query.has('cursor') && !data?.nextCursor;
  return (
    <div class="listing" aria-busy={answer.isLoading}>
      {problem && <Trouble problem={problem} again={reload} />}
      {!problem && !data && <p class="loading">Loading…</p>}
      {data && data.items.length === 0 && <p class="empty">{isWhole ? empty : 'Nothing is on this page.'}</p>}
      {data && data.items.length > 0 && <Table caption={caption} columns={columns} rows={data.items} />}
      {data && <Pager next={data.nextCursor} />}
    </div>
  );
}

/** The page is part of the address, so the browser's way back is the way back here. */
function Pager({ next }: { next: string | null }) {
  const { path, query } = route.use();
  const isFirst = !query.has('cursor');
  if (isFirst && !next) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {!isFirst && <a href={href(path, changed(query, {}))}>« First page</a>}
      {next && <a href={href(path, changed(query, { cursor: next }))}>Next page ›</a>}
    </nav>
  );
}
