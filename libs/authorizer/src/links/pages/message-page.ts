import { type Html, html } from './html.js';
import { badge, type Tone } from './icons.js';
import { type Language } from './language.js';
import { layout, type Page } from './page.js';
import { type AgainLabel, type MessageName, TEXTS } from './texts.js';

const ANSWERS: Readonly<Record<MessageName, readonly [status: number, tone: Tone]>> = {
  used: [410, 'good'],
  expired: [410, 'warn'],
  unknown: [404, 'bad'],
  away: [503, 'warn'],
  busy: [503, 'warn'],
  tooOften: [429, 'warn'],
  tooMany: [429, 'warn'],
  rested: [200, 'warn'],
  waiting: [202, 'warn'],
  refused: [400, 'bad'],
  lost: [409, 'warn'],
  superseded: [409, 'halt'],
  conflict: [200, 'warn'],
  mismatch: [409, 'halt'],
  badRequest: [400, 'bad'],
  unavailable: [503, 'warn'],
  failed: [500, 'bad'],
};

/** An address of our own to go on at; a form, so that nothing that merely follows links does so. */
export interface Again {
  readonly path: string;
  readonly method: 'get' | 'post';
  readonly label: AgainLabel;
}

interface Options {
  readonly retryAfterSeconds?: number;
  readonly refreshSeconds?: number;
  readonly again?: Again;
}

/** A page that only says how things stand, and what can be done about it. */
export function messagePage(language: Language, name: MessageName, options: Options = {}): Page {
  const texts = TEXTS[language];
  const { title, lead } = texts.messages[name];
  const [status, tone] = ANSWERS[name];
  const { retryAfterSeconds, refreshSeconds, again } = options;
  const content: Html = html`${badge(tone)}
    <h1>${title}</h1>
    <p class="lead" role="status">${lead}</p>
    ${
      again !== undefined &&
      html`<form method="${again.method}" action="${again.path}">
        <button class="button">${texts.again[again.label]}</button>
      </form>`
    }`;
  return {
    status,
    body: layout({
      language,
      title,
      content,
      look: 'message',
      ...(refreshSeconds === undefined ? {} : { refresh: { seconds: refreshSeconds } }),
    }),
    headers: retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
  };
}
