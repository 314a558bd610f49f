import { useRef, useState } from 'preact/hooks';
import { type NewLink } from '../answers.js';
import { act } from '../api.js';
import { Act } from '../parts/act.js';
import { Copy } from '../parts/copy.js';
import { Card, Facts } from '../parts/facts.js';
import { Heading } from '../parts/heading.js';
import { When } from '../parts/when.js';
import { href, route, wayBackTo } from '../route.js';
import { AUTH_TYPE } from '../words.js';

/** A link for a merchant. Everything may be left out. */
export function NewLinkView() {
  const [link, setLink] = useState<NewLink | null>(null);
  return (
    <>
      <a class="back" href={wayBackTo('links')}>
        ‹ Links
      </a>
      <Heading>New link</Heading>
      {link ? <Made link={link} onMore={() => setLink(null)} /> : <Form onMade={setLink} />}
    </>
  );
}

function Form({ onMade }: { onMade: (link: NewLink) => void }) {
  const { query } = route.use();
  const form = useRef<HTMLFormElement>(null);
  return (
    <section class="card form" aria-label="What the link is for">
      <form ref={form} onSubmit={(event) => event.preventDefault()}>
        <label>
          <span>Tenant</span>
          <input name="tenantId" defaultValue={query.get('tenantId') ?? ''} autocomplete="off" />
          <small>The account that comes is bound to it.</small>
        </label>
        <label>
          <span>State</span>
          <input name="state" autocomplete="off" />
          <small>Yours to recognise it by; it comes back in the events.</small>
        </label>
        <label>
          <span>Accounts offered</span>
          <select name="authType">
            <option value="">As usual: official accounts and mini programs</option>
            {Object.entries(AUTH_TYPE).map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Only this account</span>
          <input
            name="authorizerAppId"
            defaultValue={query.get('authorizerAppId') ?? ''}
            placeholder="wx…"
            autocomplete="off"
            spellcheck={false}
          />
        </label>
        <label>
          <span>Permission ids</span>
          <input name="permissionIds" placeholder="1, 7, 18" autocomplete="off" />
          <small>All of the platform’s where empty.</small>
        </label>
        <label>
          <span>Return address</span>
          <input
            name="returnUrl"
            type="text"
            inputMode="url"
            placeholder="https://…"
            autocomplete="off"
            spellcheck={false}
          />
          <small>Where the merchant goes on afterwards.</small>
        </label>
      </form>
      <div class="buttons">
        <Act
          label="Make the link"
          isMain
          question="The link is good for seven days. Whoever has it can authorize an account for this tenant."
          run={() => act<NewLink>('authorization-links', wishOf(new FormData(form.current!)))}
          tell={({ id }) => `The link ${id} is made.`}
          onDone={onMade}
        />
      </div>
    </section>
  );
}

/** What was filled in. Numbers that are none are sent as they are: the API says what is wrong with them. */
function wishOf(fields: FormData): object {
  const filled = [...fields].map(([name, value]) => [name, (value as string).trim()] as const);
  const numbers = (text: string) =>
    text
      .split(/[\s,，]+/)
      .filter(Boolean)
      .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return Object.fromEntries(
    filled
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [
        name,
        name === 'permissionIds' ? numbers(value) : name === 'authType' ? Number(value) : value,
      ]),
  );
}

function Made({ link: { url, desktopUrl, mobileUrl, expiresAt }, onMore }: { link: NewLink; onMore: () => void }) {
  return (
    <>
      <Card title="Send this to the merchant">
        <Copy address={url} label="Address for the merchant" />
        <Facts of={{ 'Good until': <When at={expiresAt} /> }} />
      </Card>
      <Card title="Or use WeChat’s own page at once">
        <p>With a code fetched now; it is good for some minutes, and only from a page on our domain.</p>
        <Facts
          of={{
            'On a computer': <Copy address={desktopUrl} label="WeChat’s page for the computer" />,
            'In WeChat on a phone': <Copy address={mobileUrl} label="WeChat’s page for the phone" />,
          }}
        />
      </Card>
      <div class="buttons">
        <button type="button" onClick={onMore}>
          Make another
        </button>
        <a href={href(['links'])}>To the links</a>
      </div>
    </>
  );
}
