import { eventually } from './support/eventually.js';
import { comeToTheEnd, type Link, Merchant, preAuthCodeOf, read } from './support/merchant.js';
import { TestPlatform } from './support/platform.js';
import { publicAddress } from './support/public-address.js';

describe('the pages of authorization links', () => {
  let t: TestPlatform;
  let merchant: Merchant;
  beforeAll(async () => {
    t = await TestPlatform.start({ variables: await publicAddress() });
    merchant = new Merchant(t);
    await merchant.createLink();
  });
  afterEach(() => t.sandbox.world.clearFaults());
  afterAll(() => t.stop());

  const calls = () => t.sandbox.world.counters.of('api_create_preauthcode').calls;
  const ageCodes = (link: Link, left: string) =>
    t.query(
      `update pre_auth_code set asked_at = asked_at - interval '30 minutes', expires_at = now() + $2::interval where link_id = $1`,
      [link.id, left],
    );
  const anchors = (page: string): Partial<Record<string, { url: string; policy: string | undefined }>> =>
    Object.fromEntries<{ url: string; policy: string | undefined }>(
      [...page.matchAll(/<a[^>]*id="(desktop|mobile)"[^>]*>/gs)].map(([tag, id]) => [
        id!,
        {
          url: /href="([^"]+)"/.exec(tag)![1]!.replaceAll('&#38;', '&'),
          policy: /referrerpolicy="([^"]+)"/.exec(tag)?.[1],
        },
      ]),
    );

  it('lead to WeChat’s PC and H5 pages with our origin as referrer, and load nothing', async () => {
    const link = await merchant.createLink({ authType: 1, permissionIds: [1, 99_999] });
    const { status, headers, text } = await merchant.open(link.id);
    expect(status).toBe(200);
    expect(anchors(text)).toEqual({
      desktop: { url: link.desktopUrl, policy: 'origin' },
      mobile: { url: link.mobileUrl, policy: 'origin' },
    });
    expect(text).toMatch(/<html lang="zh-CN">/);
    expect(text).toContain('role="img" aria-label="本页二维码"');
    expect(text).not.toMatch(/<script|<img|<link|src=/);
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]+='; form-action 'self';/,
    );
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'strict-origin',
      'x-content-type-options': 'nosniff',
      'x-robots-tag': expect.stringContaining('noindex') as string,
    });
  });

  it('speak the reader’s language and show what suits the device', async () => {
    const link = await merchant.createLink();
    const english = (await merchant.open(link.id, { 'accept-language': 'en-GB,en;q=0.9,zh;q=0.5' })).text;
    expect(english).toContain('<html lang="en">');
    const inWechat = (await merchant.open(link.id, { 'user-agent': 'Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0' }))
      .text;
    expect(inWechat.indexOf('id="mobile"')).toBeLessThan(inWechat.indexOf('id="desktop"'));
    const outside = (await merchant.open(link.id, { 'user-agent': 'Mozilla/5.0 (iPhone) Mobile Safari' })).text;
    expect(outside).toContain('请在微信中打开');
    expect(inWechat).not.toContain('请在微信中打开');
  });

  it('use a code as long as it is young, and fetch a fresh one when it is old', async () => {
    const link = await merchant.createLink();
    const before = calls();
    await merchant.open(link.id);
    await merchant.open(link.id);
    expect(calls()).toBe(before);
    await ageCodes(link, '1 minute');
    const { desktop } = anchors((await merchant.open(link.id)).text);
    expect(calls()).toBe(before + 1);
    expect(preAuthCodeOf({ ...link, desktopUrl: desktop!.url })).not.toBe(preAuthCodeOf(link));
    expect(read(desktop!.url).redirect_uri).toBe(read(link.desktopUrl).redirect_uri);
  });

  it('fetch one code when many open them at once', async () => {
    const link = await merchant.createLink();
    await ageCodes(link, '-1 minute');
    const before = calls();
    t.sandbox.world.setFault({ kind: 'hang', ms: 300, path: 'api_create_preauthcode' });
    const pages = await Promise.all(Array.from({ length: 20 }, () => merchant.open(link.id)));
    expect(pages.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(pages.map(({ text }) => anchors(text).desktop!.url)).size).toBe(1);
    expect(calls()).toBe(before + 1);
  });

  it('cost nothing when a crawler, a prefetch or a health check looks', async () => {
    const link = await merchant.createLink();
    await ageCodes(link, '-1 minute');
    const before = calls();
    expect((await merchant.open(link.id, {}, 'HEAD')).status).toBe(200);
    expect((await merchant.open(link.id, { 'sec-purpose': 'prefetch;prerender' })).status).toBe(503);
    expect((await merchant.open(link.id, { purpose: 'prefetch' })).status).toBe(503);
    const rested = await t.request('GET', `/social/with/wechat/authorize/${link.id}?rested`, { key: null });
    expect(rested.text).toContain('method="post"');
    expect(calls()).toBe(before);
  });

  it('get another code on request, but not at every click', async () => {
    const link = await merchant.createLink();
    const before = calls();
    expect((await merchant.open(link.id, {}, 'POST')).status).toBe(303);
    expect(calls()).toBe(before);
    await t.query(`update pre_auth_code set asked_at = asked_at - interval '11 seconds' where link_id = $1`, [link.id]);
    const renewed = await merchant.open(link.id, { 'content-type': 'application/x-www-form-urlencoded' }, 'POST');
    expect({ status: renewed.status, location: renewed.headers.get('location') }).toEqual({
      status: 303,
      location: `/social/with/wechat/authorize/${link.id}`,
    });
    expect(calls()).toBe(before + 1);
  });

  it('spend a dozen codes an hour at most', async () => {
    const link = await merchant.createLink();
    const renew = async () => {
      await t.query(`update pre_auth_code set asked_at = asked_at - interval '11 seconds' where link_id = $1`, [
        link.id,
      ]);
      return merchant.open(link.id, {}, 'POST');
    };
    for (let index = 1; index < 12; index++) expect((await renew()).status).toBe(303);
    const before = calls();
    const refused = await renew();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await merchant.open(link.id)).status).toBe(200);
    await t.query(`update pre_auth_code set expires_at = now() where link_id = $1`, [link.id]);
    expect((await merchant.open(link.id)).status).toBe(429);
    expect(calls()).toBe(before);
  });

  it('leave old codes behind, which go away little by little', async () => {
    const [link, other] = [await merchant.createLink(), await merchant.createLink()];
    await t.query(
      `insert into pre_auth_code (component_app_id, link_id, state, asked_at, expires_at)
       select component_app_id, id, 'given', now() - interval '8 days', now() - interval '8 days'
       from authorization_link, generate_series(1, 50) where id = $1`,
      [other.id],
    );
    const old = async () => (await t.query('select 1 from pre_auth_code where link_id = $1', [other.id])).length;
    await merchant.createLink();
    expect(await old()).toBe(31);
    await ageCodes(link, '-1 minute');
    expect((await merchant.open(link.id)).status).toBe(200);
    expect(await old()).toBe(11);
    await merchant.createLink();
    expect(await old()).toBe(1);
    expect((await merchant.open(other.id)).status).toBe(200);
  });

  it('open a hundred times at once for one address, and then little by little', async () => {
    const link = await merchant.createLink();
    await t.stopApp();
    await t.startApp();
    for (let round = 0; round < 10; round++) {
      const pages = await Promise.all(Array.from({ length: 10 }, () => merchant.open(link.id)));
      expect(pages.map(({ status }) => status)).toEqual(Array(10).fill(200));
    }
    // One more every two seconds: whoever is faster than that comes to the end of it.
    const refused = await comeToTheEnd(() => merchant.open(link.id), 10);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('content-type')).toContain('text/html');
    await t.stopApp();
    await t.startApp();
  });

  it('say when WeChat is away, and work again when it is back', async () => {
    const link = await merchant.createLink();
    await ageCodes(link, '-1 minute');
    t.sandbox.world.setFault({ kind: 'http', status: 500, path: 'api_create_preauthcode' });
    const away = await merchant.open(link.id, { 'accept-language': 'en' });
    expect(away.status).toBe(503);
    expect(away.text).toContain('WeChat cannot be reached');
    expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
    t.sandbox.world.clearFaults();
    await eventually(async () => expect((await merchant.open(link.id)).status).toBe(200));
  });

  it('go on after a process died while it was fetching', async () => {
    const link = await merchant.createLink();
    await ageCodes(link, '-1 minute');
    await t.query(
      `insert into pre_auth_code (component_app_id, link_id, asked_at) select component_app_id, id, now() - interval '21 seconds' from authorization_link where id = $1`,
      [link.id],
    );
    expect((await merchant.open(link.id)).status).toBe(200);
  });

  it.each([
    ['short', 'x'],
    ['made up', 'A'.repeat(32)],
    ['a path', '..%2f..%2fetc'],
    ['a script', '%3Cscript%3Ealert(1)%3C%2Fscript%3E'],
    ['a quote', `'%20or%201=1--`],
    ['NUL', 'a%00b'],
    ['Chinese', encodeURIComponent('授权')],
    ['long', 'A'.repeat(100)],
  ])('know no link whose id is %s', async (_, id) => {
    const before = calls();
    for (const method of ['GET', 'HEAD', 'POST']) expect((await merchant.open(id, {}, method)).status).toBe(404);
    const { text, headers } = await merchant.open(id);
    expect(headers.get('content-type')).toContain('text/html');
    expect(text).toContain('链接不存在');
    expect(text).not.toContain('<script');
    expect(calls()).toBe(before);
  });

  it('close when they expire', async () => {
    const link = await merchant.createLink();
    await t.query('update authorization_link set expires_at = now() where id = $1', [link.id]);
    const { status, text } = await merchant.open(link.id, { 'accept-language': 'en' });
    expect(status).toBe(410);
    expect(text).toContain('This link has expired');
    expect(text).not.toContain('pre_auth_code');
  });
});
