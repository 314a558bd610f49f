import { type Browser, type Page } from 'playwright-core';
import { describeWithBrowser, launchBrowser } from './support/browser.js';
import { TestPlatform } from './support/platform.js';

describeWithBrowser('the documentation in a browser', () => {
  let t: TestPlatform;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const asked: string[] = [];
  beforeAll(async () => {
    [t, browser] = await Promise.all([TestPlatform.start({ ticket: false }), launchBrowser()]);
    page = await browser.newPage();
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('pageerror', ({ message }) => void complaints.push(message));
    page.on('request', (request) => void asked.push(new URL(request.url()).origin));
    await page.goto(`${t.url}/docs`);
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await t.stop();
  });

  it('shows every route, and asks nobody else for anything', async () => {
    await page.waitForSelector('.opblock');
    const document = (await t.get<{ paths: Record<string, object> }>('/docs-json', null)).body;
    const routes = Object.values(document.paths).flatMap((methods) => Object.keys(methods));
    expect(await page.locator('.opblock').count()).toBe(routes.length);
    expect(new Set(asked.filter((origin) => origin !== 'null'))).toEqual(new Set([t.url]));
    expect(complaints).toEqual([]);
  });

  it('opens a route with its parameters, answers and examples', async () => {
    await page.locator('#operations-Authorizers-AuthorizersController_list button.opblock-summary-control').click();
    await page.waitForSelector('.opblock.is-open .parameters');
    const text = await page.locator('.opblock.is-open').innerText();
    for (const word of ['accountType', 'tenantId', 'nextCursor', '一家咖啡馆', 'Needs the role viewer.', '429'])
      expect(text).toContain(word);
    expect(complaints).toEqual([]);
  });
});
