import { type Html, html } from './html.js';

export type Tone = 'good' | 'warn' | 'halt' | 'bad';

const EXCLAMATION = html`<path d="M12 7.5v6" /><path d="M12 17.2v.1" /><circle cx="12" cy="12" r="9.2" />`;
const MARKS: Readonly<Record<Tone, Html>> = {
  good: html`<path d="m5 12.5 4.5 4.5L19 7.5" />`,
  warn: html`<circle cx="12" cy="12" r="9" /><path d="M12 7v5.5l3.5 2" />`,
  halt: EXCLAMATION,
  bad: EXCLAMATION,
};

/** A round mark that shows at a glance how things stand; the heading below says it in words. */
export function badge(tone: Tone): Html {
  return html`<div class="badge ${tone}" aria-hidden="true">
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      ${MARKS[tone]}
    </svg>
  </div>`;
}

/** The mark of an invitation: two links of a chain. */
export const INVITATION = html`<div class="badge" aria-hidden="true">
  <svg
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
  >
    <path d="M10 13.5a4.2 4.2 0 0 0 6 .4l3-3a4.2 4.2 0 0 0-6-6l-1.3 1.3" />
    <path d="M14 10.5a4.2 4.2 0 0 0-6-.4l-3 3a4.2 4.2 0 0 0 6 6l1.3-1.3" />
  </svg>
</div>`;
