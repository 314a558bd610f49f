import { html } from './html.js';
import { badge } from './icons.js';
import { type Language } from './language.js';
import { layout, type Page } from './page.js';
import { TEXTS } from './texts.js';

interface Success {
  readonly nickName: string | null;
  /** Where the maker of the link wants the merchant back. Shown with its host, and followed by the merchant alone. */
  readonly returnUrl: string | null;
}

/** Tells the merchant that the account is ours to work with. */
export function successPage(language: Language, { nickName, returnUrl }: Success): Page {
  const texts = TEXTS[language];
  const content = html`${badge('good')}
    <h1>${texts.success}</h1>
    <p class="lead" role="status">${texts.successLead}</p>
    ${
      nickName !== null &&
      html`<ul class="facts">
        <li><span>${texts.account}</span><b>${nickName}</b></li>
      </ul>`
    }
    ${
      returnUrl === null
        ? html`<p class="note">${texts.closePage}</p>`
        : html`<a class="button" href="${returnUrl}" rel="noopener noreferrer" referrerpolicy="no-referrer"
            >${texts.returnTo(new URL(returnUrl).host)}</a
          >`
    }`;
  return { status: 200, body: layout({ language, title: texts.success, content, look: 'message' }) };
}
