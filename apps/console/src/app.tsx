import { type FunctionComponent } from 'preact';
import { useEffect, useErrorBoundary, useRef } from 'preact/hooks';
import { Heading } from './parts/heading.js';
import { Outcome, outcome } from './parts/outcome.js';
import { go, href, route } from './route.js';
import { leave, session } from './session.js';
import { AuditView } from './views/audit.js';
import { AuthorizerView } from './views/authorizer.js';
import { AuthorizersView } from './views/authorizers.js';
import { DeliveriesView } from './views/deliveries.js';
import { EventView } from './views/event.js';
import { EventsView } from './views/events.js';
import { KeyEntry } from './views/key-entry.js';
import { LinksView } from './views/links.js';
import { NewLinkView } from './views/new-link.js';
import { PlatformView } from './views/platform.js';
import { RejectionsView } from './views/rejections.js';

interface Section {
  readonly word: string;
  readonly list: FunctionComponent;
  /** One of them, by its id. */
  readonly one?: FunctionComponent<{ id: string }>;
}

const SECTIONS: Readonly<Record<string, Section>> = {
  platform: { word: 'Platform', list: PlatformView },
  authorizers: { word: 'Authorizers', list: AuthorizersView, one: AuthorizerView },
  events: { word: 'Events', list: EventsView, one: EventView },
  deliveries: { word: 'Deliveries', list: DeliveriesView },
  rejections: { word: 'Rejections', list: RejectionsView },
  links: { word: 'Links', list: LinksView, one: NewLinkView },
  audit: { word: 'Audit', list: AuditView },
};
const HOME = 'platform';

export function App() {
  const { caller } = session.use();
  return caller ? <Shell /> : <KeyEntry />;
}

function Shell() {
  const main = useRef<HTMLElement>(null);
  const { path, query } = route.use();
  const [section = HOME, id] = path;
  const place = [...path, query.get('cursor')].join(' ');
  const isFirst = useRef(true);

  useEffect(() => {
    const heading = main.current!.querySelector('h1');
    if (!isFirst.current) heading?.focus();
    isFirst.current = false;
    scrollTo(0, 0);
    outcome.set(null);
  }, [place]);

  return (
    <>
      <button type="button" class="skip" onClick={() => main.current!.focus()}>
        Skip to the content
      </button>
      <header>
        <a class="brand" href={href([HOME])} aria-label="WeChat authorization">
          <img src="/console/icon.svg" alt="" width="24" height="24" />
          <span>WeChat authorization</span>
        </a>
        <nav aria-label="Sections">
          {Object.entries(SECTIONS).map(([name, { word }]) => {
            const to = href([name]);
            const isHere = name === section ? 'page' : undefined;
            return (
              <a key={name} href={to} aria-current={isHere} onClick={() => to === location.hash && go(to)}>
                {word}
              </a>
            );
          })}
        </nav>
        <WhoAmI />
      </header>
      <main ref={main} tabIndex={-1}>
        <Outcome />
        <Content key={place} section={section} id={id} />
      </main>
    </>
  );
}

function Content({ section, id }: { section: string; id: string | undefined }) {
  const { list: List, one: One } = SECTIONS[section] ?? {};
  const error: unknown = useErrorBoundary()[0];
  if (error) return <Broken />;
  if (List && id === undefined) return <List />;
  if (One && id !== undefined) return <One id={id} />;
  return (
    <>
      <Heading>There is nothing here</Heading>
      <p>
        The address may be mistyped. <a href={href([HOME])}>To the platform</a>
      </p>
    </>
  );
}

/** Where replicas of two versions answer, one may know what the other does not. */
function Broken() {
  return (
    <div class="trouble" role="alert">
      <Heading>This view cannot be shown</Heading>
      <p>The API answers what this page does not understand. It may have been replaced by another version meanwhile.</p>
      <button type="button" onClick={() => location.reload()}>
        Load the page again
      </button>
    </div>
  );
}

function WhoAmI() {
  const { caller } = session.use();
  if (!caller) return null;
  return (
    <div class="who">
      <span>
        <bdi>{caller.name}</bdi>, {caller.role}
      </span>
      {caller.role === 'viewer' && <span class="faint">Your key reads. Actions need an operator’s.</span>}
      <a href="/docs">API docs</a>
      <button type="button" onClick={() => leave()}>
        Leave
      </button>
    </div>
  );
}
