import { Injectable } from '@nestjs/common';
import { type AnyEvent, OnDomainEvent } from '@app/events';
import { type Page, type Route } from 'playwright-core';
import { describeWithBrowser } from './support/browser.js';
import { type Desk, Office, OVERHANGING, PHONE } from './support/console.js';
import { eventually } from './support/eventually.js';
import { KEYS, type TestPlatform } from './support/platform.js';

const SUBSCRIBER = 'subscriptions.provisionTenantOfMerchantThatHasAuthorized';
const TENANTS = ['9b2f0c1e-7d5a-4e3f-8a6b-1c2d3e4f5a6b', '3f2504e0-4f89-11d3-9a0c-0305e82c3301'] as const;
const LONG_TYPE = 'order_path_audit_result_notify_of_the_component';
const LONG_NAME = 'Wohnungsbaugenossenschaftsverwaltungsgesellschaft';

/** How much of what a dialog asks is beyond its edge. */
const CUT_OFF = `document.querySelector('dialog').scrollWidth - document.querySelector('dialog').clientWidth`;

/** A neighbour with a long name that is away at first. */
@Injectable()
class Subscriptions {
  isAway = true;

  @OnDomainEvent('authorizer.authorized', { subscriber: SUBSCRIBER })
  async provision(_: AnyEvent): Promise<void> {
    if (this.isAway) await Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:5999'));
  }
}

describeWithBrowser('an operator who trusts what the console shows', () => {
  let office: Office;
  let t: TestPlatform;
  let desk: Desk;
  let disputed: string;

  beforeAll(async () => {
    office = await Office.open(Subscriptions);
    ({ t, desk } = office);
    const [first, second, third, fourth] = ['甲', '乙', '丙', LONG_NAME].map((name) =>
      office.merchant.newAccount(name),
    );
    for (const appId of [first!, second!, third!]) await t.sandbox.world.authorize(appId);
    await office.giveUpOn(SUBSCRIBER, first!, second!, third!);
    t.app.get(Subscriptions, { strict: false }).isAway = false;
    disputed = fourth!;
    await office.dispute(disputed, ...TENANTS);
    await t.sandbox.world.pushEvent(LONG_TYPE, { note: 'n'.repeat(500) });
    await t.everythingDelivered();
  }, 90_000);
  afterAll(() => office.close());
  afterEach(() => expect(desk.complaints.splice(0)).toEqual([]));

  const text = (page: Page, of: string | RegExp) => page.getByText(of).first().waitFor();
  const status = (page: Page, of: string | RegExp) => page.getByRole('status').getByText(of).waitFor();
  const link = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).first();
  /** With the heads of the columns. */
  const rows = (page: Page, count: number) =>
    eventually(async () => expect(await page.getByRole('row').count()).toBe(count));
  const problem = (code: number, title: string) => ({
    status: code,
    contentType: 'application/problem+json',
    body: JSON.stringify({ type: 'about:blank', title, status: code, code: 'TEST' }),
  });

  it('reads a list again by the same filters, and by going where one is', async () => {
    await desk.use(KEYS.viewer, async (page) => {
      await desk.go(page, 'events?infoType=quota_changed', 'Events');
      await text(page, 'No push fits these filters.');
      await t.sandbox.world.pushEvent('quota_changed');
      await page.getByRole('button', { name: 'Apply' }).click();
      await link(page, 'quota_changed').waitFor();
      await link(page, 'Events').click();
      await link(page, 'component_verify_ticket').waitFor();
      await t.sandbox.world.pushEvent('quota_changed_again');
      await link(page, 'Events').click();
      await link(page, 'quota_changed_again').waitFor();
    });
  });

  it('looks at the dead deliveries by the query that the health prints, and narrows it', async () => {
    await desk.use(KEYS.viewer, async (page) => {
      await desk.go(page, 'deliveries?status=dead', 'Deliveries');
      await rows(page, 4);
      const chosen = page.getByLabel('Status').locator(':checked');
      expect(await chosen.innerText()).toBe('Dead');
      await page.getByLabel('Subscriber').fill('nobody');
      await page.keyboard.press('Enter');
      await text(page, 'No delivery fits these filters.');
      expect(await chosen.innerText()).toBe('Dead');
    });
  });

  it('gets away from a filter that is not offered', async () => {
    await desk.use(KEYS.viewer, async (page) => {
      await desk.go(page, 'authorizers?status=gone', 'Authorizers');
      await page.getByRole('alert').waitFor();
      await page.getByLabel(/begins with/).fill('甲');
      await page.keyboard.press('Enter');
      await rows(page, 2);
    });
  });

  it('is told that a year is none', async () => {
    await desk.use(KEYS.viewer, async (page) => {
      await desk.go(page, 'events', 'Events');
      const from = page.getByLabel('Received at or after');
      await from.fill('20261-11-21T10:00:00');
      await page.getByRole('button', { name: 'Apply' }).click();
      expect(await page.locator('input:invalid').count()).toBe(1);
      await from.fill('2026-11-21T10:00:00');
      await page.getByRole('button', { name: 'Apply' }).click();
      await page.waitForURL(/from=2026/);
    });
  });

  it('has long names whole on a narrow phone', async () => {
    const { items } = (await t.get<{ items: { id: string; infoType: string }[] }>('/admin/wechat/events')).body;
    const { id } = items.find(({ infoType }) => infoType === LONG_TYPE)!;
    const visit = async (page: Page) => {
      for (const [place, heading, buttons] of [
        ['deliveries', 'Deliveries', [/^Retry all/, /^Retry delivery/]],
        [`events/${id}`, `Event ${LONG_TYPE}`, ['Replay']],
        ['links?conflict=open', 'Links', [/^Keep with/, /^Move to/]],
        [`authorizers/${disputed}`, LONG_NAME, ['Sync now']],
      ] as const) {
        await desk.go(page, place, heading);
        expect([place, await page.evaluate(OVERHANGING)]).toEqual([place, []]);
        for (const name of buttons) {
          await page.getByRole('button', { name }).first().click();
          await page.getByRole('dialog').waitFor();
          expect([place, name, await page.evaluate(OVERHANGING)]).toEqual([place, name, []]);
          expect([place, name, await page.evaluate(CUT_OFF)]).toEqual([place, name, 0]);
          await page.keyboard.press('Escape');
          await page.getByRole('dialog').waitFor({ state: 'detached' });
        }
      }
      await desk.act(page, 'Sync now');
      await status(page, `Read again from WeChat: ${LONG_NAME}`);
      expect(await page.evaluate(OVERHANGING)).toEqual([]);
    };
    await desk.use(KEYS.operator, visit, { ...PHONE, viewport: { width: 320, height: 600 } });
  });

  it('is told of an action that fails after its question was closed', async () => {
    await desk.use(KEYS.operator, async (page) => {
      const request = await begin(page, 'Start push ticket', '**/start-push-ticket');
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await request.fulfill(problem(503, 'WeChat is away'));
      await status(page, 'Start push ticket: WeChat is away');
      expect(await page.locator('.outcome .bad').count()).toBe(1);
    });
  });

  it('keeps a new key when the former one is refused late', async () => {
    await desk.use(KEYS.operator, async (page) => {
      const request = await begin(page, 'Start push ticket', '**/start-push-ticket');
      await page.goto(`${t.url}/console#key=${KEYS.viewer}`);
      await text(page, 'viewer, viewer');
      await request.fulfill(problem(401, 'The API key or token is not valid'));
      await status(page, 'Start push ticket: The API key or token is not valid');
      await text(page, 'viewer, viewer');
    });
  });

  it('is not told that all is well when nobody confirms it any more', async () => {
    await desk.use(KEYS.viewer, async (page) => {
      await page.clock.install();
      await page.route('**/admin/wechat/platform', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...((await response.json()) as object), health: 'ok', reasons: [] } });
      });
      await desk.go(page, 'platform', 'Platform');
      const health = page.getByRole('region', { name: 'Health' });
      await health.getByText('OK', { exact: true }).waitFor();
      await page.unroute('**/admin/wechat/platform');
      await page.route('**/admin/wechat/platform', (route) => route.abort());
      await page.clock.runFor(6_000);
      await health.getByText('Unknown', { exact: true }).waitFor();
      await health.getByText('It was last known as: OK.').waitFor();
      expect(await page.locator('.health.good, .health .good').count()).toBe(0);
      await eventually(async () => expect(await page.title()).toBe('Health unknown · Platform · WeChat authorization'));
      await page.unroute('**/admin/wechat/platform');
      await page.getByRole('button', { name: 'Try again' }).click();
      await health.getByText('Degraded').waitFor();
    });
  });

  it('is led from the audit only to what has a page', async () => {
    const [delivery] = await t.query<{ event: string }>(
      'select e.id as event from delivery d join event e using (position) where d.subscriber = $1 and e.authorizer_app_id = $2',
      [SUBSCRIBER, disputed],
    );
    expect((await t.post(`/admin/wechat/events/${delivery!.event}/replay`)).status).toBe(202);
    expect((await t.post(`/admin/wechat/authorizers/${disputed}/sync`)).status).toBe(200);
    await desk.use(KEYS.viewer, async (page) => {
      await desk.go(page, 'audit', 'Audit');
      const row = (action: string) => page.getByRole('row').filter({ hasText: action });
      expect(await row('event.replay').innerText()).toContain(delivery!.event);
      expect(await row('event.replay').getByRole('link').count()).toBe(0);
      await row('authorizer.sync').first().getByRole('link').click();
      await page.getByRole('heading', { name: LONG_NAME, level: 1 }).waitFor();
    });
  });

  it('saves a file that is there for as long as the browser may need to read it', async () => {
    await desk.use(KEYS.operator, async (page) => {
      await page.clock.install();
      await desk.go(page, 'authorizers', 'Authorizers');
      await page.evaluate('globalThis.revoked = 0; URL.revokeObjectURL = () => void globalThis.revoked++');
      const saving = page.waitForEvent('download');
      await desk.act(page, 'Export as CSV');
      await saving;
      await status(page, /^Saved/);
      expect(await page.evaluate('revoked')).toBe(0);
      await page.clock.runFor(60_000);
      expect(await page.evaluate('revoked')).toBe(1);
    });
  });

  it('is not told that a list is empty where only a page of it is', async () => {
    await desk.use(KEYS.operator, async (page) => {
      await desk.go(page, 'deliveries?limit=2', 'Deliveries');
      await link(page, 'Next page ›').click();
      await rows(page, 2);
      await page.getByRole('button', { name: /^Retry delivery/ }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click();
      await status(page, /is tried again/);
      await text(page, 'Nothing is on this page.');
      expect(await page.getByText('Nothing has been given up.').count()).toBe(0);
      await link(page, '« First page').click();
      await rows(page, 3);
    });
  });

  /** Has an action sent, and its answer wait for the test. */
  async function begin(page: Page, button: string, address: string): Promise<Route> {
    const held: Route[] = [];
    await page.route(address, (route) => void held.push(route));
    await page.getByRole('button', { name: button }).click();
    await page.getByRole('dialog').getByRole('button', { name: button }).click();
    await eventually(() => expect(held).toHaveLength(1));
    return held[0]!;
  }
});
