import { permissionName } from '@app/wechat';
import { toString as renderQrCode } from 'qrcode';
import { type AuthorizationLink } from '../link-store.js';
import { type WechatPages } from '../wechat-pages.js';
import { Html, html } from './html.js';
import { INVITATION } from './icons.js';
import { type Language } from './language.js';
import { layout, type Page } from './page.js';
import { TEXTS } from './texts.js';

/** Where the page is being read, as far as that can be told: WeChat's own browser, a phone outside of it, or a computer. */
export type Device = 'wechat' | 'phone' | 'computer';

export function deviceOf(userAgent: string | undefined): Device {
  const isPhone = /Mobile|Android|iPhone/i.test(userAgent ?? '');
  if (/MicroMessenger/i.test(userAgent ?? '') && isPhone) return 'wechat';
  return isPhone ? 'phone' : 'computer';
}

interface Invitation {
  readonly link: AuthorizationLink;
  readonly pages: WechatPages;
  /** This page's own address, for the phone. */
  readonly url: string;
  /** When the code in WeChat's addresses grows old: then this page gives way to one that offers a fresh code. */
  readonly secondsGood: number;
}

/** The page a merchant is sent: it leads to WeChat's. The anchors carry our origin, which WeChat insists on. */
export async function linkPage(language: Language, device: Device, invitation: Invitation): Promise<Page> {
  const texts = TEXTS[language];
  const content = device === 'computer' ? await wide(language, invitation) : await narrow(language, device, invitation);
  return {
    status: 200,
    body: layout({
      language,
      title: texts.title,
      content,
      look: device === 'computer' ? 'wide' : 'narrow',
      refresh: { seconds: invitation.secondsGood, to: '?rested' },
    }),
  };
}

async function wide(language: Language, { link, pages, url }: Invitation): Promise<Html> {
  const texts = TEXTS[language];
  return html`${INVITATION}
    <h1>${texts.title}</h1>
    <p class="lead">${texts.lead}</p>
    ${facts(language, link)}
    <div class="ways">
      <section aria-labelledby="computer">
        <h2 id="computer">${texts.computer}</h2>
        <ol class="steps">
          ${texts.steps.map((step) => html`<li>${step}</li>`)}
        </ol>
        <a class="button" id="desktop" referrerpolicy="origin" href="${pages.desktopUrl}">${texts.computerButton}</a>
      </section>
      <section aria-labelledby="phone">
        <h2 id="phone">${texts.phone}</h2>
        <p>${texts.phoneHint}</p>
        ${await qrCode(language, url)}
        <a class="other" id="mobile" referrerpolicy="origin" href="${pages.mobileUrl}">${texts.phoneLink}</a>
      </section>
    </div>
    ${permissions(language, link)} ${trouble(language, link)}`;
}

async function narrow(language: Language, device: Device, { link, pages, url }: Invitation): Promise<Html> {
  const texts = TEXTS[language];
  return html`${INVITATION}
    <h1>${texts.title}</h1>
    <p class="lead">${texts.lead}</p>
    ${facts(language, link)} ${device === 'phone' && html`<p class="hint">${texts.inWechatHint}</p>`}
    <a class="button" id="mobile" referrerpolicy="origin" href="${pages.mobileUrl}">${texts.phoneButton}</a>
    <a class="other" id="desktop" referrerpolicy="origin" href="${pages.desktopUrl}">${texts.computerLink}</a>
    ${permissions(language, link)}
    <details>
      <summary>${texts.qrSummary}</summary>
      ${await qrCode(language, url)}
      <p>${texts.qrHint}</p>
    </details>
    ${trouble(language, link)}`;
}

function facts(language: Language, { authType, requestedAppId, expiresAt }: AuthorizationLink): Html {
  const texts = TEXTS[language];
  const accounts = requestedAppId === null ? texts.accountKinds[authType ?? 3] : texts.onlyAccount(requestedAppId);
  return html`<ul class="facts">
    <li><span>${texts.accounts}</span><b>${accounts}</b></li>
    <li><span>${texts.goodUntil}</span><b>${beijingTime(language, expiresAt)}</b></li>
  </ul>`;
}

function permissions(language: Language, { permissionIds }: AuthorizationLink): Html | false {
  if (permissionIds.length === 0) return false;
  const texts = TEXTS[language];
  const names = permissionIds.map((id) => html`<li>${permissionName(id) ?? texts.permission(id)}</li>`);
  return html`<details>
    <summary>${texts.permissions(permissionIds.length)}</summary>
    <ul>
      ${names}
    </ul>
  </details>`;
}

/** A form, because it makes us ask WeChat: crawlers and previews follow links, but post nothing. */
function trouble(language: Language, { id }: AuthorizationLink): Html {
  const texts = TEXTS[language];
  return html`<div class="note">
    ${texts.codeTrouble}
    <form method="post" action="./${id}">
      <button class="quiet">${texts.renew}</button>
    </form>
  </div>`;
}

async function qrCode(language: Language, url: string): Promise<Html> {
  const svg = await renderQrCode(url, { type: 'svg', margin: 0, errorCorrectionLevel: 'M' });
  return html`<div class="qr" role="img" aria-label="${TEXTS[language].qrName}">
    ${new Html(svg.replace('<svg ', '<svg aria-hidden="true" '))}
  </div>`;
}

function beijingTime(language: Language, time: Date): string {
  const [locale, month, zone] =
    language === 'zh' ? (['zh-CN', 'long', ''] as const) : (['en-GB', 'short', ' (Beijing)'] as const);
  const parts = { month, day: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Shanghai' } as const;
  return `${new Intl.DateTimeFormat(locale, parts).format(time)}${zone}`;
}
