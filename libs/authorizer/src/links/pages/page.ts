import { createHash } from 'node:crypto';
import { Html, html } from './html.js';
import { type Language } from './language.js';
import { STYLES } from './styles.js';

/** A page and how it is answered. */
export interface Page {
  readonly status: number;
  readonly body: string;
  /** Header fields of this page alone, beside those every page has. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface Layout {
  readonly language: Language;
  readonly title: string;
  readonly content: Html;
  /** `wide` has room for two columns, `message` says one thing. */
  readonly look: 'wide' | 'narrow' | 'message';
  /** Looks again after so many seconds, here or at another address. */
  readonly refresh?: { readonly seconds: number; readonly to?: string };
}

/** Put together here, because the hash covers every space between the tags. */
const STYLE_ELEMENT = new Html(`<style>${STYLES}</style>`);
const STYLE_HASH = createHash('sha256').update(STYLES).digest('base64');

/**
 * What every merchants' page is sent with. The browser loads nothing, runs nothing and tells other sites our origin at most: WeChat's
 * page insists on seeing that, and nobody is to see the rest of the address.
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'strict-origin',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex, nofollow, noarchive',
  vary: 'accept-language, user-agent',
};

export function layout({ language, title, content, look, refresh }: Layout): string {
  const again = refresh && `${refresh.seconds}${refresh.to === undefined ? '' : `;url=${refresh.to}`}`;
  return html`<!doctype html>
    <html lang="${language === 'zh' ? 'zh-CN' : 'en'}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover" />
        <meta name="robots" content="noindex,nofollow" />
        <meta name="format-detection" content="telephone=no" />
        ${again !== undefined && html`<meta http-equiv="refresh" content="${again}" />`}
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main class="${look}">${content}</main>
      </body>
    </html> `.text;
}
