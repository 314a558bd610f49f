import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Browser, type Page } from 'playwright-core';
import { describeWithBrowser, launchBrowser } from './support/browser.js';
import { eventually } from './support/eventually.js';
import { type Link, Merchant, preAuthCodeOf, read } from './support/merchant.js';
import { TestPlatform } from './support/platform.js';
import { publicAddress } from './support/public-address.js';

/** The smallest phone that is still about, in WeChat's browser. */
const SCREEN = { width: 375, height: 667 };
const WECHAT =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 15_8 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x18003233) NetType/WIFI';

/** What is measured of a page: its size, its language and landmarks, and the weakest contrast of any text on it. */
const MEASURE = `(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).map((value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (channels(colour)[3] !== 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const contrasts = [...document.body.querySelectorAll('*')]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((element) => [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((a, b) => b - a))
    .map(([light, dark]) => (light + 0.05) / (dark + 0.05));
  const { scrollWidth, scrollHeight, lang } = document.documentElement;
  return {
    title: document.querySelector('h1').textContent,
    lang,
    isOneScreen: scrollWidth <= innerWidth && scrollHeight <= innerHeight,
    landmarks: document.querySelectorAll('main').length,
    headings: document.querySelectorAll('h1').length,
    isReadable: contrasts.length > 0 && Math.min(...contrasts) >= 4.5,
  };
})()`;

const TITLES = {
  open: ['授权您的微信账号', 'Authorize your WeChat account'],
  used: ['链接已使用', 'This link has been used'],
  expired: ['链接已过期', 'This link has expired'],
  unknown: ['链接不存在', 'There is no such link'],
  away: ['暂时无法连接微信', 'WeChat cannot be reached'],
  rested: ['页面停留时间较长', 'This page has been open for a while'],
  success: ['授权成功', 'Authorized'],
  conflict: ['授权已收到，等待确认', 'Received, to be confirmed'],
  mismatch: ['授权的不是指定账号', 'Not the account this link is for'],
  withdrawn: ['授权已被取消', 'The authorization was withdrawn'],
  forged: ['授权未能确认', 'Not confirmed'],
  lost: ['授权结果尚不清楚', 'The outcome is not known yet'],
  nothing: ['缺少授权信息', 'Something is missing'],
} as const;
type State = keyof typeof TITLES;

describeWithBrowser('a merchant with a small phone', () => {
  let t: TestPlatform;
  let merchant: Merchant;
  let browser: Browser;
  let addresses: Record<State, string>;
  beforeAll(async () => {
    t = await TestPlatform.start({ variables: await publicAddress() });
    merchant = new Merchant(t);
    browser = await launchBrowser();
    addresses = await everyState();
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await t.stop();
  });

  const WISH = { authType: 6, permissionIds: [1, 15, 30], returnUrl: 'https://shop.example/done' };
  const homeOf = (link: Link, code: string) =>
    `${read(link.desktopUrl).redirect_uri!}&auth_code=${code}&expires_in=3600`;
  const newAccount = () => merchant.newAccount('一家名字很长很长的社区咖啡与手冲体验馆');
  const grant = (appId: string) => t.sandbox.world.grant(appId, { push: false }).redirectCode;

  async function everyState(): Promise<Record<State, string>> {
    const make = (wish: object = {}) => merchant.createLink({ ...WISH, ...wish });
    const [open, left, expired, away, used, second, only] = [
      await make(),
      await make(),
      await make(),
      await make(),
      await make({ tenantId: 't-1' }),
      await make({ tenantId: 't-2' }),
      await make({ authorizerAppId: 'wxf8b4f85f3a794e77' }),
    ];
    const [bound, other, gone, unsure] = [newAccount(), newAccount(), newAccount(), newAccount()];
    await t.sandbox.world.authorize(bound, { preAuthCode: preAuthCodeOf(used) });
    await merchant.becomes(bound, { status: 'authorized', tenantId: 't-1' });
    await t.sandbox.world.authorize(gone);
    await merchant.becomes(gone, { status: 'authorized' });
    const success = homeOf(used, grant(bound));
    const conflict = homeOf(second, grant(bound));
    const withdrawn = homeOf(left, grant(gone));
    await merchant.comeHome(left, new URL(withdrawn).searchParams.get('auth_code')!);
    await t.sandbox.world.revoke(gone);
    await merchant.becomes(gone, { status: 'unauthorized' });
    t.sandbox.world.setFault({ kind: 'reset-after', path: 'api_query_auth', times: 1 });
    const lost = grant(unsure);
    await merchant.comeHome(open, lost);
    await t.query('update authorization_link set expires_at = now() where id = $1', [expired.id]);
    await t.query('update pre_auth_code set expires_at = now() where link_id = $1', [away.id]);
    t.sandbox.world.setFault({ kind: 'http', status: 502, path: 'api_create_preauthcode' });
    return {
      open: open.url,
      used: used.url,
      expired: expired.url,
      unknown: new URL('none', open.url).href,
      away: away.url,
      rested: `${open.url}?rested`,
      success,
      conflict,
      mismatch: homeOf(only, grant(other)),
      withdrawn,
      forged: homeOf(open, 'queryauthcode@@@forged'),
      lost: homeOf(open, lost),
      nothing: read(open.desktopUrl).redirect_uri!,
    };
  }

  /** Kept where SCREENSHOTS names a folder, for a person to look at. */
  async function photograph(page: Page, name: string): Promise<void> {
    const folder = process.env.SCREENSHOTS;
    if (!folder) return;
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
  }

  it.each([
    ['in Chinese', 'zh-CN', 'light'],
    ['in English', 'en-US', 'light'],
    ['in Chinese, in the dark', 'zh-TW', 'dark'],
    ['in English, in the dark', 'en-GB', 'dark'],
  ] as const)(
    'sees every state on one screen, can read it, and nobody else is told (%s)',
    async (_, locale, colorScheme) => {
      const context = await browser.newContext({
        viewport: SCREEN,
        userAgent: WECHAT,
        isMobile: true,
        locale,
        colorScheme,
      });
      const page = await context.newPage();
      const requests: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => requests.push(request.url()));
      page.on('console', (message) => {
        // Chromium also reports pages that are answered with 4xx or 5xx, as most of ours are meant to be.
        if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text());
      });
      const index = locale.startsWith('zh') ? 0 : 1;
      for (const [state, address] of Object.entries(addresses) as [State, string][]) {
        await eventually(async () => {
          await page.goto(address);
          expect(await page.textContent('h1')).toBe(TITLES[state][index]);
        });
        await photograph(page, `screen-${state}-${locale}-${colorScheme}`);
        expect({ state, ...(await page.evaluate<object>(MEASURE)) }).toEqual({
          state,
          title: TITLES[state][index],
          lang: index === 0 ? 'zh-CN' : 'en',
          isOneScreen: true,
          landmarks: 1,
          headings: 1,
          isReadable: true,
        });
      }
      expect(new Set(requests.map((url) => new URL(url).origin))).toEqual(new Set([new URL(addresses.open).origin]));
      expect(complaints).toEqual([]);
      await context.close();
    },
    90_000,
  );
});
