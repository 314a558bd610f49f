import { type Link } from '../answers.js';
import { act } from '../api.js';
import { Act } from '../parts/act.js';
import { Text } from '../parts/text.js';
import { When } from '../parts/when.js';
import { href } from '../route.js';

/** An account that came with a link and was not bound by it: somebody must decide whose it is. */
export function Conflict({
  link,
  conflict,
  onDone,
}: {
  link: Link;
  conflict: Link['conflicts'][number];
  onDone: () => void;
}) {
  const { id, tenantId: wanted } = link;
  const { authorizerAppId, reason, tenantId: owner, cameAt, resolution, resolvedAt, resolvedBy } = conflict;
  const account = (
    <a href={href(['authorizers', authorizerAppId])}>
      <bdi class="code">{authorizerAppId}</bdi>
    </a>
  );
  if (resolution !== null)
    return (
      <>
        {account} {resolution === 'keep' ? 'stayed with' : 'was moved from'} {owner ? <Text of={owner} /> : 'no tenant'}
        , decided by <Text of={resolvedBy} /> <When at={resolvedAt} />
      </>
    );
  const settle = (resolution: 'keep' | 'move') =>
    act<Link>(`authorization-links/${encodeURIComponent(id)}/resolve`, { authorizerAppId, resolution });
  return (
    <div class="note warn">
      <p>
        {account} came, but{' '}
        {reason === 'other_account' ? 'the link was made for another account' : 'not from this tenant'}.
      </p>
      <p>
        It belongs to {owner ? <Text of={owner} /> : 'no tenant'}, the link to {wanted ? <Text of={wanted} /> : 'none'}.
      </p>
      <p>
        <When at={cameAt} />
      </p>
      <div class="buttons">
        <Act
          label={owner ? `Keep with ${owner}` : 'Keep as it is'}
          question="The account stays where it is. The link's tenant gets nothing."
          run={() => settle('keep')}
          tell={() => `${authorizerAppId} stays as it is.`}
          onDone={onDone}
        />
        <Act
          label={wanted ? `Move to ${wanted}` : 'Bind to the link'}
          question={
            <>
              The account goes to the tenant of the link
              {wanted && (
                <>
                  , <bdi>{wanted}</bdi>
                </>
              )}
              . Subscribers are told.
            </>
          }
          run={() => settle('move')}
          tell={() => `${authorizerAppId} belongs to ${wanted ?? 'the link'} now.`}
          onDone={onDone}
        />
      </div>
    </div>
  );
}
