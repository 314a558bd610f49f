import { randomUUID } from 'node:crypto';
import { eventually } from './support/eventually.js';
import { comeToTheEnd, Merchant } from './support/merchant.js';
import { TestPlatform } from './support/platform.js';
import { publicAddress } from './support/public-address.js';

describe('a browser that comes home with', () => {
  let t: TestPlatform;
  let merchant: Merchant;
  beforeAll(async () => {
    t = await TestPlatform.start({ variables: { ...(await publicAddress()), TRUSTED_PROXIES: '127.0.0.1' } });
    merchant = new Merchant(t);
    await merchant.createLink();
  });
  afterEach(() => t.sandbox.world.clearFaults());
  afterAll(() => t.stop());

  const queryAuth = () => t.sandbox.world.counters.of('api_query_auth').calls;

  it('one code among very many: they are counted by an index, and the old ones go away little by little', async () => {
    const ofLink = await merchant.createLink({ tenantId: 't-many' });
    const rows = 30_000;
    const invented = `insert into returned_code (component_app_id, code_digest, link_id, received_at, outcome)
      select $1, sha256(convert_to('many' || n, 'utf8')), 'l' || n, now() - interval '1 day' * (n % 2 * 8), 'refused'
      from generate_series(1, ${rows}) n`;
    await t.query(invented, [t.env.platform.appId]);
    await t.query('analyze returned_code');
    const count = async (sql: string) => (await t.query<{ n: number }>(`select (${sql})::int as n`))[0]!.n;
    const readInRow = `select seq_tup_read + idx_tup_fetch from pg_stat_user_tables where relname = 'returned_code'`;
    const lookedUp = `select idx_scan from pg_stat_user_indexes where indexrelname = 'ix_returned_code_link'`;
    // Statistics are told when a connection ends.
    await t.stopApp();
    await t.startApp();
    const lookedUpBefore = await count(lookedUp);
    const readBefore = await count(readInRow);
    await t.request('GET', '/social/with/wechat/authorized?auth_code=queryauthcode@@@of-nobody', { key: null });
    await merchant.comeHome(ofLink, 'queryauthcode@@@of-a-link');
    await t.stopApp();
    await eventually(async () => expect(await count(lookedUp)).toBeGreaterThanOrEqual(lookedUpBefore + 2));
    expect((await count(readInRow)) - readBefore).toBeLessThan(rows / 3);
    await t.startApp();
    const old = `select count(*) from returned_code where received_at < now() - interval '7 days'`;
    expect(await count(old)).toBe(rows / 2 - 40);
    await t.query(`delete from returned_code where link_id like 'l%' and length(link_id) < 10`);
  });

  it('more codes without a link than one address may bring: others are still let in', async () => {
    const bring = (code: string, address: string) =>
      t.request('GET', `/social/with/wechat/authorized?auth_code=queryauthcode@@@${code}`, {
        key: null,
        headers: { 'x-forwarded-for': address },
      });
    await t.query(`update returned_code set received_at = received_at - interval '2 minutes'`);
    const before = queryAuth();
    // One more every four seconds: whoever is faster than that comes to the end of it.
    const refused = await comeToTheEnd(() => bring(randomUUID(), '198.51.100.1'), 5);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(queryAuth()).toBeLessThan(before + 30);
    expect((await bring('another', '198.51.100.2')).status).not.toBe(429);
  });

  it('invented codes by the dozen: after thirty in a minute WeChat is left alone, and true merchants still come home', async () => {
    const before = queryAuth();
    const flood = Array.from({ length: 40 }, (_, index) =>
      t.request('GET', `/social/with/wechat/authorized?auth_code=queryauthcode@@@flood${index}`, {
        key: null,
        headers: { 'x-forwarded-for': `203.0.113.${index % 10}` },
      }),
    );
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(10);
    const more = await t.request('GET', '/social/with/wechat/authorized?auth_code=queryauthcode@@@one-more', {
      key: null,
      headers: { 'x-forwarded-for': '203.0.113.99' },
    });
    expect(more.status).toBe(429);
    expect(Number(more.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(queryAuth()).toBeLessThanOrEqual(before + 30);
    const [link, appId] = [await merchant.createLink({ tenantId: 't-true' }), merchant.newAccount()];
    await merchant.comeHome(link, t.sandbox.world.grant(appId, { push: false }).redirectCode);
    await merchant.becomes(appId, { status: 'authorized', tenantId: 't-true' });
  });

  describe('no matter how slowly', () => {
    const inventYesterday = (linkId: string | null, count: number) =>
      t.query(
        `insert into returned_code (component_app_id, code_digest, link_id, received_at, outcome)
         select $1, sha256(convert_to($2 || ' ' || n, 'utf8')), $3, now() - interval '2 hours', 'refused'
         from generate_series(1, $4) n`,
        [t.env.platform.appId, `slow ${linkId}`, linkId, count],
      );

    it('five hundred codes a day that prove no link: WeChat is left alone, and true merchants still come home', async () => {
      await t.query('delete from returned_code where link_id is null');
      await inventYesterday(null, 499);
      const before = queryAuth();
      const bring = (code: string) =>
        t.request('GET', `/social/with/wechat/authorized?auth_code=queryauthcode@@@${code}`, {
          key: null,
          headers: { 'x-forwarded-for': '192.0.2.1', 'accept-language': 'en' },
        });
      expect((await bring('the-last')).status).toBe(400);
      const refused = await bring('too-many');
      expect(refused.status).toBe(429);
      expect(refused.text).toContain('your authorization is not lost');
      expect(queryAuth()).toBe(before + 1);
      const [link, appId] = [await merchant.createLink({ tenantId: 't-day' }), merchant.newAccount()];
      await merchant.comeHome(link, t.sandbox.world.grant(appId, { push: false }).redirectCode);
      await merchant.becomes(appId, { status: 'authorized', tenantId: 't-day' });
    });

    it('a hundred codes a day of one link', async () => {
      const link = await merchant.createLink();
      await inventYesterday(link.id, 100);
      const before = queryAuth();
      expect((await merchant.comeHome(link, 'queryauthcode@@@invented')).status).toBe(429);
      expect(queryAuth()).toBe(before);
    });
  });
});
