import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { type TestPlatform } from './platform.js';

const ROOT = path.resolve(__dirname, '../..');

/** Builds the console as `npm run build` does, but into a folder of its own. */
export async function buildConsole(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'console-'));
  const parameters = ['run', '--silent', 'build:console', '--', `--outdir=${folder}`];
  await promisify(execFile)('npm', parameters, { cwd: ROOT });
  return { folder, remove: () => rm(folder, { recursive: true }) };
}

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
