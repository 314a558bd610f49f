import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Provider } from '@nestjs/common';
import { type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { MAX_ATTEMPTS } from '../../libs/events/src/retry-schedule.js';
import { launchBrowser } from './browser.js';
import { eventually } from './eventually.js';
import { Merchant, preAuthCodeOf } from './merchant.js';
import { TestPlatform } from './platform.js';
import { publicAddress } from './public-address.js';

const ROOT = path.resolve(__dirname, '../..');

/** The whole system with the console in it, and a browser before it. */
export class Office {
  readonly desk: Desk;
  readonly merchant: Merchant;

  private constructor(
    readonly t: TestPlatform,
    private readonly browser: Browser,
    private readonly folder: string,
  ) {
    [this.desk, this.merchant] = [new Desk(t, browser), new Merchant(t)];
  }

  static async open(...providers: readonly Provider[]): Promise<Office> {
    const [consoleFolder, browser] = await Promise.all([buildConsole(), launchBrowser()]);
    const t = await TestPlatform.start({ variables: await publicAddress(), providers, consoleFolder });
    return new Office(t, browser, consoleFolder);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.t.stop();
    await rm(this.folder, { recursive: true });
  }

  /** An account comes with a link for a tenant. */
  async authorizeBy(appId: string, tenantId: string) {
    const link = await this.merchant.createLink({ tenantId });
    const { redirectCode, pushed } = this.t.sandbox.world.grant(appId, { preAuthCode: preAuthCodeOf(link) });
    await pushed;
    await this.merchant.becomes(appId, { status: 'authorized' });
    return { link, redirectCode };
  }

  /** An account comes for two tenants one after the other: whose it is waits for a decision. */
  async dispute(appId: string, owner: string, wanted: string): Promise<void> {
    await this.authorizeBy(appId, owner);
    const { link, redirectCode } = await this.authorizeBy(appId, wanted);
    await this.merchant.comeHome(link, redirectCode);
  }

  /** Uses up the schedule of the deliveries to a subscriber that fails, until those of these accounts are given up. */
  async giveUpOn(subscriber: string, ...appIds: readonly string[]): Promise<void> {
    const given = appIds.map((authorizerAppId) => expect.objectContaining({ authorizerAppId }) as unknown);
    await eventually(async () => {
      await this.t.query(
        `update delivery set attempts = ${MAX_ATTEMPTS - 1}, due_at = now()
         where authorizer_app_id = any($1) and subscriber = $2 and state = 'waiting' and lease is null and last_error is not null`,
        [appIds, subscriber],
      );
      const { items } = (await this.t.get<{ items: unknown[] }>('/admin/wechat/deliveries')).body;
      expect([items.length, items]).toEqual([appIds.length, expect.arrayContaining(given)]);
    }, 25_000);
  }
}

/** Builds the console as `npm run build` does, but into a folder of its own. */
async function buildConsole(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'console-'));
  const parameters = ['run', '--silent', 'build:console', '--', `--outdir=${folder}`];
  await promisify(execFile)('npm', parameters, { cwd: ROOT });
  return folder;
}

/** What reaches beyond the right edge of the screen, apart from what only screen readers see. */
export const OVERHANGING = `[...document.querySelectorAll('main *:not(thead, thead *, .hidden)')]
  .filter((element) => element.getBoundingClientRect().right > innerWidth)
  .map(({ outerHTML }) => outerHTML.slice(0, 200))`;
export const PHONE: BrowserContextOptions = { viewport: { width: 375, height: 812 }, isMobile: true, hasTouch: true };

/** An operator at a browser, and everything the browser asked for or complained of meanwhile. */
export class Desk {
  /** Each request to the API as `GET /admin/wechat/…`, without its query. */
  readonly asked: string[] = [];
  readonly addresses: string[] = [];
  readonly complaints: string[] = [];

  constructor(
    private readonly t: TestPlatform,
    private readonly browser: Browser,
  ) {}

  /** A tab of its own, with the console open; the key comes by the address, as from the start screen. */
  async use(
    key: string | null,
    visit: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on('request', (request) => {
      this.addresses.push(request.url());
      this.asked.push(`${request.method()} ${new URL(request.url()).pathname}`);
    });
    page.on('pageerror', ({ message }) => void this.complaints.push(message));
    page.on('console', (message) => {
      // Chromium reports every answer that is a problem; those are meant.
      const isOurs = message.type() === 'error' && !message.text().startsWith('Failed to load resource');
      if (isOurs) this.complaints.push(message.text());
    });
    try {
      await page.goto(`${this.t.url}/console${key === null ? '' : `#key=${key}`}`);
      if (key !== null) await page.getByRole('heading', { name: 'Platform', level: 1 }).waitFor();
      await visit(page);
    } finally {
      await context.close();
    }
  }

  /** Goes to a place in the console, and waits until it shows what it is about. */
  async go(page: Page, place: string, heading: string | RegExp): Promise<void> {
    await page.goto(`${this.t.url}/console#/${place}`);
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await page.locator('.loading').first().waitFor({ state: 'detached' });
  }

  /** Presses a button that asks first, and says yes. */
  async act(page: Page, button: string, confirm = button): Promise<void> {
    await page.getByRole('button', { name: button, exact: true }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: confirm, exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }
}
