import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Injectable } from '@nestjs/common';
import { type AnyEvent, OnDomainEvent } from '@app/events';
import { type Page } from 'playwright-core';
import { describeWithBrowser } from './support/browser.js';
import { type Desk, Office, OVERHANGING, PHONE } from './support/console.js';
import { eventually } from './support/eventually.js';
import { type Merchant } from './support/merchant.js';
import { KEYS, type TestPlatform } from './support/platform.js';

/** Only to be looked at. */
const MORE_VARIANTS = [
  ['phone', 'dark', PHONE],
  ['desk', 'light', {}],
  ['desk', 'dark', {}],
] as const;
const HOSTILE = `<img src=x onerror="document.title='owned'">\u{202e}evil 👩‍👩‍👧 `.padEnd(200, '很长的名字');

/** A neighbour whose CRM is away for some accounts. */
@Injectable()
class Crm {
  readonly away = new Set<string>();
  readonly invited: string[] = [];
  readonly logged: string[] = [];

  @OnDomainEvent('authorizer.authorized', { subscriber: 'crm.invite' })
  async invite({ authorizerAppId }: AnyEvent): Promise<void> {
    if (this.away.has(authorizerAppId!)) throw new Error('CRM 不可用：<b>HTTP 502</b>');
    await Promise.resolve(this.invited.push(authorizerAppId!));
  }

  @OnDomainEvent('wechat.authorized', { subscriber: 'crm.log' })
  async log({ id }: AnyEvent): Promise<void> {
    await Promise.resolve(this.logged.push(id));
  }
}

describeWithBrowser('an operator with the console', () => {
  let office: Office;
  let t: TestPlatform;
  let desk: Desk;
  let merchant: Merchant;
  /** The appids of the accounts, by what they are here for. */
  const known: Record<'cafe' | 'hostile' | 'disputed' | 'unlucky', string> = {
    ...{ cafe: '', hostile: '', disputed: '', unlucky: '' },
  };

  beforeAll(async () => {
    office = await Office.open(Crm);
    ({ t, desk, merchant } = office);
    await live();
  }, 90_000);
  afterAll(() => office.close());
  afterEach(() => {
    expect(desk.complaints).toEqual([]);
    const isOurs = (address: string) => [t.url, `blob:${t.url}`].some((origin) => address.startsWith(`${origin}/`));
    expect(desk.addresses.filter((address) => !isOurs(address))).toEqual([]);
  });

  const crm = () => t.app.get(Crm, { strict: false });

  /** Merchants come, one of them for two tenants; a neighbour's CRM is away; somebody pushes with a wrong token. */
  async function live(): Promise<void> {
    const { world } = t.sandbox;
    known.cafe = world.addAccount({
      kind: 'mini_program',
      nickName: '街角咖啡馆',
      principalName: '杭州街角餐饮有限公司',
    }).appId;
    known.hostile = world.addAccount({ kind: 'mini_program', nickName: HOSTILE, principalName: HOSTILE }).appId;
    known.disputed = world.addAccount({ kind: 'service_account', nickName: '和合口腔连锁' }).appId;
    known.unlucky = world.addAccount({ kind: 'official_account', nickName: '云上茶舍' }).appId;
    crm().away.add(known.unlucky);
    await office.dispute(known.disputed, 't-苏州', 't-上海');
    await office.authorizeBy(known.cafe, 't-杭州');
    for (const appId of [known.hostile, known.unlucky, 'wx3f1c7a9e52d80b64', 'wx8d24e6b0137fa95c'])
      await world.authorize(appId);
    for (const appId of Object.values(known))
      await eventually(async () => expect(await merchant.authorizer(appId)).toMatchObject({ status: 'authorized' }));
    await world.pushTicket({ sealWith: { token: 'another-token' } });
    await office.giveUpOn('crm.invite', known.unlucky);
  }

  const text = (page: Page, of: string | RegExp) => page.getByText(of).first().waitFor();
  const status = (page: Page, of: string | RegExp) => page.getByRole('status').getByText(of).waitFor();

  it('gets the page without a key: with a policy of its own, and anew only when it has changed', async () => {
    const page = await t.get('/console', null);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'",
    );
    expect(policy).toContain("frame-ancestors 'none'");
    for (const loophole of ['unsafe', 'http', 'data:', '*']) expect(policy).not.toContain(loophole);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    for (const [, asset] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const first = await t.get(asset!, null);
      expect([asset, first.status, first.headers.get('cache-control')]).toEqual([asset, 200, 'no-cache']);
      const headers = { 'if-none-match': first.headers.get('etag')! };
      const again = await t.request('GET', asset!, { key: null, headers });
      expect([asset, again.status, again.text]).toEqual([asset, 304, '']);
    }
    expect((await t.get('/console/', null)).text).toBe(page.text);
    for (const nothing of ['/console/nothing.js', '/console/..%2fpackage.json', '/console/constructor'])
      expect([nothing, (await t.get(nothing, null)).status]).toEqual([nothing, 404]);
    const home = await t.get('/', null);
    expect([home.status, home.headers.get('location')]).toEqual([302, '/console']);
  });

  describe('enters a key', () => {
    it('that is wrong, or a service’s, and reads why in the API’s words', async () => {
      await desk.use(null, async (page) => {
        for (const [key, words] of [
          ['wrong', 'The API key or token is not valid'],
          [KEYS.service, 'It needs the role viewer'],
        ] as const) {
          await page.getByLabel('Key').fill(key);
          await page.keyboard.press('Enter');
          await page.getByRole('alert').getByText(words).waitFor();
        }
        await page.getByLabel('Key').fill(KEYS.viewer);
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: 'Platform', level: 1 }).waitFor();
        await page.reload();
        await page.getByRole('heading', { name: 'Platform', level: 1 }).waitFor();
        await page.getByRole('button', { name: 'Leave' }).click();
        await page.getByLabel('Key').waitFor();
        expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
      });
    });

    it('by the address, which keeps nothing of it', async () => {
      await desk.use(KEYS.operator, async (page) => {
        expect(page.url()).toBe(`${t.url}/console`);
        await page.goto(`${t.url}/console#/audit`);
        await page.goBack();
        expect(page.url()).toBe(`${t.url}/console`);
        expect(desk.addresses.filter((address) => address.includes(KEYS.operator))).toEqual([]);
      });
    });
  });

  it('has every view on a phone without scrolling sideways', async () => {
    const [event] = (await t.get<{ items: { id: string }[] }>(`/admin/wechat/authorizers/${known.hostile}/events`)).body
      .items;
    const places: readonly (readonly [place: string, heading: string | RegExp])[] = [
      ['platform', 'Platform'],
      ['authorizers', 'Authorizers'],
      [`authorizers/${known.cafe}`, '街角咖啡馆'],
      [`authorizers/${known.hostile}`, /onerror/],
      ['events', 'Events'],
      [`events/${event!.id}`, 'Event authorized'],
      ['deliveries', 'Deliveries'],
      ['rejections', 'Rejections'],
      ['links/new', 'New link'],
      ['links', 'Links'],
      ['audit', 'Audit'],
      ['nowhere', 'There is nothing here'],
    ];
    const variants = [['phone', 'light', PHONE], ...(process.env.SCREENSHOTS ? MORE_VARIANTS : [])] as const;
    for (const [device, colorScheme, options] of variants) {
      const photograph = photographer(`${device}-${colorScheme}`);
      await desk.use(null, (page) => photograph(page, 'key'), { ...options, colorScheme });
      const visit = async (page: Page) => {
        for (const [place, heading] of places) {
          await desk.go(page, place, heading);
          const room = await page.evaluate('innerWidth - document.documentElement.scrollWidth');
          expect([device, place, room]).toEqual([device, place, 0]);
          if (device === 'phone') expect([place, await page.evaluate(OVERHANGING)]).toEqual([place, []]);
          await photograph(page, place);
        }
      };
      await desk.use(KEYS.operator, visit, { ...options, colorScheme });
    }
  }, 60_000);

  it('reads why health is degraded and what to do, and retries what was given up', async () => {
    await desk.use(KEYS.operator, async (page) => {
      const health = page.getByRole('region', { name: 'Health' });
      await health.getByText('Degraded').waitFor();
      await eventually(async () => expect(await page.title()).toBe('Degraded · Platform · WeChat authorization'));
      await health.getByRole('link', { name: 'Look at the dead deliveries' }).click();
      await page.getByRole('heading', { name: 'Deliveries', level: 1 }).waitFor();
      await text(page, 'CRM 不可用：<b>HTTP 502</b>');
      crm().away.clear();
      await page.getByRole('button', { name: /^Retry delivery \d+ to crm.invite$/ }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click();
      await status(page, /Delivery \d+ is tried again/);
      await text(page, 'Nothing has been given up.');
      await eventually(() => expect(crm().invited).toContain(known.unlucky));
    });
  });

  it('retries all that one subscriber gave up, and has one told again that was told', async () => {
    crm().away.add(known.cafe);
    const [delivery] = await t.query<{ event: string }>(
      `select e.id as event from delivery d join event e using (position) where d.subscriber = 'crm.invite' and e.authorizer_app_id = $1`,
      [known.cafe],
    );
    await t.post(`/admin/wechat/events/${delivery!.event}/replay`, { subscribers: ['crm.invite'] });
    await office.giveUpOn('crm.invite', known.cafe);
    crm().away.clear();
    await desk.use(KEYS.operator, async (page) => {
      await desk.go(page, 'deliveries?subscriber=crm.invite', 'Deliveries');
      await desk.act(page, 'Retry all of crm.invite');
      await status(page, '1 delivery is tried again.');
      await eventually(() => expect(crm().invited.filter((appId) => appId === known.cafe)).toHaveLength(2));
      await eventually(async () =>
        expect((await t.get('/admin/wechat/deliveries?subscriber=crm.invite&status=done')).body).toMatchObject({
          items: expect.arrayContaining([expect.objectContaining({ authorizerAppId: known.cafe })]) as unknown[],
        }),
      );
      await page.getByLabel('Status').selectOption('done');
      await page.waitForURL(/status=done/);
      await page.getByRole('row').filter({ hasText: known.cafe }).getByRole('button', { name: 'Replay' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
      await status(page, '1 subscriber is told again.');
      await eventually(() => expect(crm().invited.filter((appId) => appId === known.cafe)).toHaveLength(3));
    });
  });

  it('finds an account by the beginning of its Chinese name, syncs it, and comes back to the search', async () => {
    await desk.use(KEYS.operator, async (page) => {
      await page.getByRole('link', { name: 'Authorizers', exact: true }).click();
      await page.getByLabel(/begins with/).fill('街角');
      await page.keyboard.press('Enter');
      await page.waitForURL(/q=/);
      const rows = page.getByRole('row');
      await eventually(async () => expect(await rows.count()).toBe(2));
      await page.getByRole('link', { name: '街角咖啡馆' }).click();
      await page.getByRole('heading', { name: '街角咖啡馆', level: 1 }).waitFor();
      await eventually(async () => expect(await page.evaluate('document.activeElement.tagName')).toBe('H1'));
      await eventually(async () => expect(await page.title()).toBe('街角咖啡馆 · WeChat authorization'));
      for (const words of ['杭州街角餐饮有限公司', 't-杭州', 'valid', '小程序开发与数据分析']) await text(page, words);
      const before = t.sandbox.world.counters.of('api_get_authorizer_info').calls;
      await desk.act(page, 'Sync now');
      await status(page, 'Read again from WeChat: 街角咖啡馆');
      expect(t.sandbox.world.counters.of('api_get_authorizer_info').calls).toBeGreaterThan(before);
      await page.getByRole('link', { name: '‹ Authorizers' }).click();
      await eventually(async () => expect(await page.getByLabel(/begins with/).inputValue()).toBe('街角'));
      await page.goBack();
      await page.getByRole('heading', { name: '街角咖啡馆', level: 1 }).waitFor();
    });
  });

  it('takes the filtered list away as CSV', async () => {
    await desk.use(KEYS.operator, async (page) => {
      await desk.go(page, `authorizers?q=${encodeURIComponent('街角')}`, 'Authorizers');
      const saving = page.waitForEvent('download');
      await desk.act(page, 'Export as CSV');
      const file = await saving;
      expect(file.suggestedFilename()).toMatch(/^authorizers-.*\.csv$/);
      const lines = readFileSync(await file.path(), 'utf8')
        .trim()
        .split('\r\n');
      expect([lines.length, lines[1]]).toEqual([2, expect.stringContaining('街角咖啡馆')]);
    });
  });

  it('goes from page to page of a list and back, each with an address of its own', async () => {
    await desk.use(KEYS.viewer, async (page) => {
      await desk.go(page, 'authorizers?limit=2', 'Authorizers');
      const first = await page.getByRole('table').innerText();
      await page.getByRole('link', { name: 'Next page ›' }).click();
      await page.waitForURL(/cursor=/);
      await eventually(async () => expect(await page.getByRole('table').innerText()).not.toBe(first));
      expect(page.url()).toContain('limit=2');
      await page.reload();
      await page.getByRole('link', { name: '« First page' }).waitFor();
      await page.goBack();
      await eventually(async () => expect(await page.getByRole('link', { name: '« First page' }).count()).toBe(0));
    });
  });

  it('replays an event to the subscriber that is chosen, and to nobody else', async () => {
    await desk.use(KEYS.operator, async (page) => {
      await desk.go(page, `events?infoType=authorized&appId=${known.cafe}`, 'Events');
      await page.getByRole('link', { name: 'authorized', exact: true }).click();
      await page.getByRole('heading', { name: 'Event authorized', level: 1 }).waitFor();
      await text(page, '***');
      const id = new URL(page.url()).hash.split('/').at(-1)!;
      const told = () => crm().logged.filter((each) => each === id).length;
      expect(told()).toBe(1);
      await page.getByRole('button', { name: 'Replay', exact: true }).click();
      await page.getByRole('dialog').getByLabel('crm.log').check();
      await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
      await status(page, '1 subscriber is told again.');
      await eventually(() => expect(told()).toBe(2));
    });
  });

  it('reads what was refused and what to check, and has tickets pushed and everything reconciled', async () => {
    await desk.use(KEYS.operator, async (page) => {
      await desk.go(page, 'rejections', 'Rejections');
      await text(page, 'SIGNATURE_MISMATCH');
      await text(page, /WECHAT_TOKEN must be/);
      await page.clock.install();
      await desk.go(page, 'platform', 'Platform');
      await desk.act(page, 'Start push ticket');
      await status(page, /WeChat/);
      await desk.act(page, 'Reconcile all');
      await status(page, /Run \d+ is under way/);
      await eventually(async () => {
        await page.clock.runFor(5_000);
        expect(await page.getByRole('region', { name: 'Reconciliation' }).innerText()).toContain('done');
      });
    });
  });

  it('makes a link, and sees a conflict and settles it', async () => {
    await desk.use(KEYS.operator, async (page) => {
      await desk.go(page, 'links', 'Links');
      await page.getByRole('link', { name: 'New link' }).click();
      await page.getByLabel('Return address').fill('not an address');
      await page.getByRole('button', { name: 'Make the link' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Make the link' }).click();
      await page.getByRole('dialog').getByText('must be an http:// or https:// address').waitFor();
      await page.keyboard.press('Escape');
      await page.getByLabel('Return address').fill('https://shop.example/done');
      await page.getByLabel('Tenant').fill('t-绍兴');
      await page.getByLabel('Permission ids').fill('17, 18');
      await desk.act(page, 'Make the link');
      const address = await page.getByLabel('Address for the merchant', { exact: true }).inputValue();
      expect(address).toMatch(new RegExp(`^${t.url}/social/with/wechat/authorize/`));
      await page.getByRole('button', { name: 'Copy: Address for the merchant' }).click();
      await status(page, /Copied|selected/);
      await desk.go(page, 'links?conflict=open', 'Links');
      await text(page, known.disputed);
      await desk.act(page, 'Move to t-上海');
      await status(page, `${known.disputed} belongs to t-上海 now.`);
      await text(page, 'No link fits these filters.');
      expect(await merchant.authorizer(known.disputed)).toMatchObject({ tenantId: 't-上海' });
      await desk.go(page, 'audit?action=link.resolve', 'Audit');
      await text(page, 'link.resolve');
      expect(await page.getByRole('row').count()).toBe(2);
    });
  });

  it('who is a viewer can act nowhere, and reads why', async () => {
    await desk.use(KEYS.viewer, async (page) => {
      await text(page, 'Your key reads. Actions need an operator’s.');
      const [event] = (await t.get<{ items: { id: string }[] }>('/admin/wechat/events')).body.items;
      const before = desk.asked.filter((asked) => asked.startsWith('POST')).length;
      for (const [place, heading, buttons] of [
        ['platform', 'Platform', ['Start push ticket', 'Reconcile all']],
        ['authorizers', 'Authorizers', ['Export as CSV']],
        [`authorizers/${known.cafe}`, '街角咖啡馆', ['Sync now']],
        [`events/${event!.id}`, /^Event/, ['Replay']],
        ['links/new', 'New link', ['Make the link']],
      ] as const) {
        await desk.go(page, place, heading);
        for (const name of buttons) {
          const button = page.getByRole('button', { name, exact: true });
          expect([name, await button.getAttribute('aria-disabled')]).toEqual([name, 'true']);
          expect(await button.getAttribute('title')).toContain('needs an operator’s key');
          await button.focus();
          await page.keyboard.press('Enter');
          expect(await page.getByRole('dialog').count()).toBe(0);
        }
      }
      expect(desk.asked.filter((asked) => asked.startsWith('POST'))).toHaveLength(before);
    });
  });

  it('sees the names of others as text, whatever they hold', async () => {
    await desk.use(KEYS.operator, async (page) => {
      for (const place of ['authorizers', `authorizers/${known.hostile}`]) {
        await desk.go(page, place, place === 'authorizers' ? 'Authorizers' : /onerror/);
        await text(page, HOSTILE.slice(0, 40));
        expect(await page.locator('main img').count()).toBe(0);
        expect(await page.title()).not.toBe('owned');
      }
    });
  });

  it('is told when an answer cannot be shown, and goes on elsewhere', async () => {
    await desk.use(KEYS.viewer, async (page) => {
      await page.route('**/admin/wechat/audit?*', (route) =>
        route.fulfill({ json: { items: [{ at: 'now' }], nextCursor: null } }),
      );
      await page.getByRole('link', { name: 'Audit' }).click();
      await page.getByRole('heading', { name: 'This view cannot be shown' }).waitFor();
      await desk.go(page, 'links', 'Links');
    });
  });

  it('sees the last that was known while the API is away, and the present when it is back', async () => {
    await desk.use(KEYS.operator, async (page) => {
      await page.clock.install();
      await desk.go(page, 'platform', 'Platform');
      await t.stopApp();
      try {
        await page.clock.runFor(6_000);
        await page.getByRole('alert').getByText('The server cannot be reached').waitFor();
        await text(page, /^Last known at/);
        await page.getByRole('region', { name: 'Ticket' }).waitFor();
        await page.getByRole('link', { name: 'Audit' }).click();
        await page.getByRole('alert').getByText('The server cannot be reached').waitFor();
      } finally {
        await t.startApp();
      }
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('table').waitFor();
    });
  });

  it('is asked for nothing by a page that nobody can see', async () => {
    await desk.use(KEYS.viewer, async (page) => {
      const asked = () => desk.asked.filter((each) => each.endsWith('/admin/wechat/platform')).length;
      const show = (isHidden: boolean) =>
        page.evaluate(
          `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
        );
      await page.clock.install();
      await desk.go(page, 'audit', 'Audit');
      await desk.go(page, 'platform', 'Platform');
      await show(true);
      const before = asked();
      await page.clock.runFor(60_000);
      expect(asked() - before).toBeLessThan(2); // One may have been on its way.
      await show(false);
      await eventually(() => expect(asked()).toBeGreaterThan(before));
    });
  });

  it('is led by the keyboard and told by the screen reader where it is', async () => {
    await desk.use(KEYS.operator, async (page) => {
      const active = () => page.evaluate<string>('document.activeElement.textContent');
      await page.keyboard.press('Tab');
      expect(await active()).toBe('Skip to the content');
      await page.keyboard.press('Enter');
      expect(await page.evaluate('document.activeElement.tagName')).toBe('MAIN');
      await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Events' }).press('Enter');
      await page.getByRole('heading', { name: 'Events', level: 1 }).waitFor();
      await eventually(async () => expect(await page.evaluate('document.activeElement.tagName')).toBe('H1'));
      await eventually(async () => expect(await page.title()).toBe('Events · WeChat authorization'));
      expect(await page.getByRole('link', { name: 'Events', exact: true }).getAttribute('aria-current')).toBe('page');
      for (const role of ['banner', 'main', 'search', 'status'] as const)
        expect([role, await page.getByRole(role).count()]).toEqual([role, 1]);
    });
  });

  it('reaches every route that the documentation offers to operators', async () => {
    const { paths } = (await t.get<{ paths: Record<string, object> }>('/docs-json', null)).body;
    const offered = Object.entries(paths)
      .filter(([path]) => path.startsWith('/admin/'))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
    expect(offered.length).toBeGreaterThan(15);
    const isReached = (route: string) => {
      const pattern = new RegExp(`^${route.replace(/\./g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
      return desk.asked.some((asked) => pattern.test(asked));
    };
    expect(offered.filter((route) => !isReached(route))).toEqual([]);
  });

  /** Kept where SCREENSHOTS names a folder, for a person to look at. */
  function photographer(variant: string): (page: Page, name: string) => Promise<void> {
    return async (page, name) => {
      const folder = process.env.SCREENSHOTS;
      if (!folder) return;
      await mkdir(folder, { recursive: true });
      await page.screenshot({
        path: path.join(folder, `${name.replace(/[/?=]/g, '_')}-${variant}.png`),
        fullPage: true,
      });
    };
  }
});
