import { type Platform } from '../answers.js';
import { Card, Facts } from '../parts/facts.js';
import { Badge, Fault } from '../parts/text.js';
import { When } from '../parts/when.js';
import { PHASE, toneOf } from '../words.js';

/** The last comparison with WeChat's list, while it runs and afterwards. */
export function Reconciliation({ run }: { run: Platform['lastReconcile'] }) {
  if (!run)
    return (
      <Card title="Reconciliation">
        <p class="empty">There has been none yet.</p>
      </Card>
    );
  const { status, phase, total, listed, reason } = run;
  const isOver = run.finishedAt !== null;
  const done = {
    Listed: listed,
    Added: run.added,
    Restored: run.restored,
    Revoked: run.revoked,
    Refreshed: run.refreshed,
    Failed: run.failed,
  };
  return (
    <Card title="Reconciliation">
      <p>
        <Badge tone={toneOf(status)}>{status}</Badge> {!isOver && PHASE[phase]}
      </p>
      {!isOver && total !== null && phase === 'list' && (
        <progress max={total} value={listed} aria-label="Progress">
          {listed} of {total}
        </progress>
      )}
      <Fault of={reason} />
      <Facts
        of={{
          Started: <When at={run.startedAt} />,
          ...(isOver
            ? { Finished: <When at={run.finishedAt} /> }
            : { 'Last progress': <When at={run.progressedAt} /> }),
          ...(run.resumeAt && { 'Goes on': <When at={run.resumeAt} /> }),
          'Requested by': run.requestedBy === 'operator' ? 'an operator' : 'the schedule',
        }}
      />
      <ul class="counts small">
        {Object.entries(done).map(([word, number]) => (
          <li key={word}>
            <strong>{number.toLocaleString('en')}</strong> {word}
          </li>
        ))}
      </ul>
    </Card>
  );
}
