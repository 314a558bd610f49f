import { type Authorizer, type Page, type Push } from '../answers.js';
import { act } from '../api.js';
import { Act } from '../parts/act.js';
import { Card, Facts } from '../parts/facts.js';
import { Heading } from '../parts/heading.js';
import { Listing } from '../parts/listing.js';
import { Badge, Code, Elsewhere, Text } from '../parts/text.js';
import { Trouble } from '../parts/trouble.js';
import { When } from '../parts/when.js';
import { href, route, wayBackTo } from '../route.js';
import { useAnswer } from '../use-answer.js';
import { ACCOUNT_TYPE, ATTENTION, AUTHORIZER_STATUS, count, toneOf, WHAT_TO_DO } from '../words.js';
import { PUSH_COLUMNS } from './events.js';

/** One authorizer: everything that is known, what a person must do, and what was pushed. */
export function AuthorizerView({ id }: { id: string }) {
  const path = `authorizers/${encodeURIComponent(id)}`;
  const { query } = route.use();
  const { data: authorizer, problem, reload } = useAnswer<Authorizer>(path);
  const pushes = useAnswer<Page<Push>>(`${path}/events?${query}`);
  const name = authorizer?.nickName ?? id;
  return (
    <>
      <a class="back" href={wayBackTo('authorizers')}>
        ‹ Authorizers
      </a>
      <div class="title">
        <Heading>
          <bdi class="text">{name}</bdi>
        </Heading>
        {authorizer && (
          <Act
            label="Sync now"
            question={
              <>
                <bdi>{name}</bdi> is read again from WeChat: profile, permissions and credential.
              </>
            }
            run={() => act<Authorizer>(`${path}/sync`)}
            tell={({ nickName, appId }) => `Read again from WeChat: ${nickName ?? appId}`}
            onDone={() => [reload(), pushes.reload()]}
            isMain={authorizer.attention !== null}
          />
        )}
      </div>
      {problem && <Trouble problem={problem} again={reload} />}
      {!problem && !authorizer && <p class="loading">Loading…</p>}
      {authorizer?.attention && <Attention of={authorizer} />}
      {authorizer && <Cards of={authorizer} />}
      {authorizer && (
        <section aria-label="Pushes">
          <h2>Pushes</h2>
          <Listing
            caption="Pushes about this account"
            answer={pushes}
            columns={PUSH_COLUMNS.filter(({ head }) => head !== 'Account')}
            empty="Nothing has been pushed about this account."
          />
        </section>
      )}
    </>
  );
}

function Attention({ of: { attention, appId, tenantId } }: { of: Authorizer }) {
  if (!attention) return null;
  return (
    <section class="health warn" aria-label="Attention">
      <p class="verdict">
        <Badge tone="warn">{ATTENTION[attention]}</Badge> <span>{WHAT_TO_DO[attention]}</span>
      </p>
      {attention === 'reauthorization_required' && (
        <p>
          <a href={href(['links', 'new'], { authorizerAppId: appId, tenantId })}>Make a link for this account</a>
        </p>
      )}
    </section>
  );
}

function Cards({ of: a }: { of: Authorizer }) {
  const verified = a.verified === null ? null : a.verified ? 'yes' : 'no';
  const account = {
    Appid: <Code of={a.appId} />,
    Kind: ACCOUNT_TYPE[a.accountType],
    Principal: <Text of={a.principalName} />,
    'User name': <Code of={a.userName} />,
    Alias: <Text of={a.alias} />,
    Verified: <Text of={verified} />,
    'State at WeChat': <Text of={a.accountStatus} />,
    Pictures: (
      <>
        {a.headImageUrl && <Elsewhere to={a.headImageUrl}>Head image</Elsewhere>}{' '}
        {a.qrcodeUrl ? <Elsewhere to={a.qrcodeUrl}>QR code</Elsewhere> : !a.headImageUrl && <Text of={null} />}
      </>
    ),
  };
  const authorization = {
    Status: <Badge tone={toneOf(a.status)}>{AUTHORIZER_STATUS[a.status]}</Badge>,
    Tenant: a.tenantId ? (
      <a href={href(['authorizers'], { tenantId: a.tenantId })}>
        <bdi class="text">{a.tenantId}</bdi>
      </a>
    ) : (
      <Text of={null} />
    ),
    'State of the link': <Text of={a.state} />,
    Authorized: <When at={a.authorizedAt} />,
    Unauthorized: <When at={a.unauthorizedAt} />,
    Platform: <Code of={a.componentAppId} />,
  };
  const record = {
    Credential: <Badge tone={toneOf(a.credential.status)}>{a.credential.status}</Badge>,
    'Access token expires': <When at={a.credential.accessTokenExpiresAt} />,
    'Last event': <When at={a.lastEventAt} />,
    'Profile read': <When at={a.profileSyncedAt} />,
    'First known': <When at={a.createdAt} />,
    Changed: <When at={a.updatedAt} />,
  };
  return (
    <div class="cards">
      <Card title="Account">
        <Facts of={account} />
      </Card>
      <Card title="Authorization">
        <Facts of={authorization} />
      </Card>
      <Card title="Credential and record">
        <Facts of={record} />
      </Card>
      <Card title={`Permissions: ${count(a.permissions.length, 'set')}`} wide>
        <ul class="permissions">
          {a.permissions.map(({ id, name }) => (
            <li key={id}>
              <a href={href(['authorizers'], { permission: String(id) })}>
                <span class="code">{id}</span>
                <bdi>{name ?? 'without a name'}</bdi>
              </a>
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}
