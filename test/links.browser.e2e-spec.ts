import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { describeWithBrowser, launchBrowser } from './support/browser.js';
import { eventually } from './support/eventually.js';
import { TestPlatform } from './support/platform.js';
import { publicAddress } from './support/public-address.js';

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
  locale: 'zh-CN',
  userAgent:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x18003233) NetType/WIFI Language/zh_CN',
};
const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 800 }, locale: 'zh-CN' };

interface Link {
  id: string;
  url: string;
  desktopUrl: string;
}
interface Authorizer {
  status: string;
  tenantId: string | null;
  state: string | null;
}

describeWithBrowser('a merchant with a browser', () => {
  let t: TestPlatform;
  let browser: Browser;
  let foreignRequests: string[];
  let complaints: string[];

  beforeAll(async () => {
    t = await TestPlatform.start({ variables: await publicAddress() });
    browser = await launchBrowser();
  });
  beforeEach(() => {
    foreignRequests = [];
    complaints = [];
  });
  afterAll(async () => {
    await browser.close();
    await t.stop();
  });

  const createLink = (wish: object) =>
    eventually(async () => {
      const { status, body } = await t.post<Link>('/admin/wechat/authorization-links', wish);
      expect(status).toBe(201);
      return body;
    });
  const authorizer = async (appId: string) => (await t.get<Authorizer>(`/admin/wechat/authorizers/${appId}`)).body;
  const account = (nickName: string, kind: 'mini_program' | 'official_account' = 'mini_program') =>
    t.sandbox.world.addAccount({ kind, nickName }).appId;

  async function browse<T>(options: BrowserContextOptions, visit: (page: Page) => Promise<T>): Promise<T> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on('request', (request) => {
      const { origin } = new URL(request.url());
      if (origin !== t.url && origin !== t.sandbox.url) foreignRequests.push(request.url());
    });
    page.on('console', (message) => {
      const isOurs = message.type() === 'error' && message.location().url.startsWith(t.url);
      // Chromium also reports pages that are answered with 4xx, as some of ours are meant to be.
      if (isOurs && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
    });
    try {
      return await visit(page);
    } finally {
      await context.close();
    }
  }

  /** Kept where SCREENSHOTS names a folder, for a person to look at. */
  async function photograph(page: Page, name: string): Promise<void> {
    const folder = process.env.SCREENSHOTS;
    if (!folder) return;
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
  }

  async function chooseAccount(page: Page, nickName: string): Promise<void> {
    const offer = page.locator('details.offer', { hasText: nickName });
    await offer.locator('summary').click();
    await offer.locator('form button').click();
  }

  it('goes from the link through WeChat’s page on a computer to a bound tenant', async () => {
    const appId = account('云上茶舍');
    const link = await createLink({
      tenantId: 't-desktop',
      state: 'order-1',
      returnUrl: 'https://shop.example/done?x=1',
    });
    await browse(DESKTOP, async (page) => {
      await page.goto(link.url);
      await photograph(page, 'link-desktop-zh');
      await page.click('#desktop');
      await page.waitForURL(`${t.sandbox.url}/**`);
      await chooseAccount(page, '云上茶舍');
      await page.waitForURL(`${t.url}/social/with/wechat/authorized?**`);
      await page.waitForSelector('text=授权成功');
      await photograph(page, 'success-desktop-zh');
      expect(await page.textContent('main')).toContain('云上茶舍');
      expect(await page.getAttribute('a.button', 'href')).toBe('https://shop.example/done?x=1');
    });
    await eventually(async () =>
      expect(await authorizer(appId)).toMatchObject({ status: 'authorized', tenantId: 't-desktop', state: 'order-1' }),
    );
    expect(foreignRequests).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('does the same on one screen of a phone inside WeChat', async () => {
    const appId = account('巷口面馆');
    const link = await createLink({ tenantId: 't-phone' });
    await browse(PHONE, async (page) => {
      await page.goto(link.url);
      await photograph(page, 'link-phone-zh');
      const height = await page.evaluate('document.documentElement.scrollHeight');
      const width = await page.evaluate('document.documentElement.scrollWidth');
      expect({ height, width }).toEqual({ height: 844, width: 390 });
      await page.click('#mobile');
      await chooseAccount(page, '巷口面馆');
      await page.waitForSelector('text=授权成功');
      await photograph(page, 'success-phone-zh');
    });
    await eventually(async () =>
      expect(await authorizer(appId)).toMatchObject({ status: 'authorized', tenantId: 't-phone' }),
    );
    await browse(PHONE, async (page) => {
      await page.goto(link.url);
      await photograph(page, 'used-phone-zh');
      expect(await page.textContent('h1')).toBe('链接已使用');
    });
    expect(complaints).toEqual([]);
  });

  it('reads the pages in English where that is preferred', async () => {
    const link = await createLink({ authType: 6, permissionIds: [1, 15, 30] });
    await browse({ ...DESKTOP, locale: 'en-US' }, async (page) => {
      await page.goto(link.url);
      expect(await page.getAttribute('html', 'lang')).toBe('en');
      expect(await page.textContent('h1')).toBe('Authorize your WeChat account');
      await photograph(page, 'link-desktop-en');
      await page.goto(`${t.url}/social/with/wechat/authorized?auth_code=queryauthcode@@@forged`);
      expect(await page.textContent('h1')).toBe('Not confirmed');
      await photograph(page, 'refused-desktop-en');
    });
    await browse({ ...PHONE, locale: 'en-US' }, async (page) => {
      await page.goto(link.url);
      await photograph(page, 'link-phone-en');
      expect(await page.evaluate('document.documentElement.scrollHeight')).toBe(844);
      await page.goto(`${t.url}/social/with/wechat/authorize/none`);
      await photograph(page, 'unknown-phone-en');
    });
    await browse({ ...PHONE, colorScheme: 'dark' }, async (page) => {
      await page.goto(link.url);
      await page.click('summary >> nth=-1');
      await photograph(page, 'link-phone-dark');
    });
  });

  it('finds the way back to the link from a code that WeChat refuses, and from a page left open', async () => {
    const link = await createLink({});
    await browse({ ...PHONE, locale: 'en-US' }, async (page) => {
      await page.goto(`${new URL(link.desktopUrl).searchParams.get('redirect_uri')!}&auth_code=queryauthcode@@@forged`);
      expect(await page.textContent('h1')).toBe('Not confirmed');
      await photograph(page, 'refused-phone-en');
      await page.click('button');
      expect(await page.textContent('h1')).toBe('Authorize your WeChat account');
      await page.goto(`${link.url}?rested`);
      await photograph(page, 'rested-phone-en');
      await page.click('button');
      expect(await page.textContent('h1')).toBe('Authorize your WeChat account');
      expect(page.url()).toBe(link.url);
    });
  });

  it('is told of a conflict without being told of other tenants', async () => {
    const appId = account('老街书屋');
    await t.sandbox.world.authorize(appId, {
      preAuthCode: new URL((await createLink({ tenantId: 't-one' })).desktopUrl).searchParams.get('pre_auth_code')!,
    });
    await eventually(async () => expect(await authorizer(appId)).toMatchObject({ tenantId: 't-one' }));
    const link = await createLink({ tenantId: 't-two' });
    await browse(PHONE, async (page) => {
      await page.goto(link.url);
      await page.click('#mobile');
      await chooseAccount(page, '老街书屋');
      await page.waitForSelector('text=等待确认');
      await photograph(page, 'conflict-phone-zh');
      expect(await page.textContent('main')).not.toMatch(/t-one|t-two/);
    });
  });

  it('gets a fresh code with a button when WeChat no longer takes the old one', async () => {
    const link = await createLink({ tenantId: 't-renewed' });
    const code = new URL(link.desktopUrl).searchParams.get('pre_auth_code')!;
    await t.query(`update pre_auth_code set asked_at = asked_at - interval '1 minute'`);
    t.sandbox.world.platform.usePreAuthCode(code);
    const appId = account('再来一碗');
    await browse(DESKTOP, async (page) => {
      await page.goto(link.url);
      await page.click('#desktop');
      await page.waitForSelector('text=PreAuthCode无效');
      await page.goBack();
      await page.click('button.quiet');
      await page.click('#desktop');
      await chooseAccount(page, '再来一碗');
      await page.waitForSelector('text=授权成功');
    });
    await eventually(async () => expect(await authorizer(appId)).toMatchObject({ tenantId: 't-renewed' }));
  });

  it('can use the page by keyboard alone, and is told what is what', async () => {
    const link = await createLink({});
    await browse(DESKTOP, async (page) => {
      await page.goto(link.url);
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.id')).toBe('desktop');
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
      const levels = await Promise.all([1, 2, 3].map((level) => page.getByRole('heading', { level }).count()));
      expect(levels).toEqual([1, 2, 0]);
      expect(await page.getByRole('img').getAttribute('aria-label')).toBe('本页二维码');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${t.sandbox.url}/**`);
    });
  });
});
