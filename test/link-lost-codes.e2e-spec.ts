import { DataSource } from 'typeorm';
import { eventually } from './support/eventually.js';
import { type Link, Merchant, preAuthCodeOf } from './support/merchant.js';
import { TestPlatform } from './support/platform.js';
import { publicAddress } from './support/public-address.js';

describe('a code that comes home while WeChat', () => {
  let t: TestPlatform;
  let merchant: Merchant;
  beforeAll(async () => {
    t = await TestPlatform.start({ variables: await publicAddress() });
    merchant = new Merchant(t);
    await merchant.createLink();
  });
  beforeEach(() => {
    t.sandbox.world.redirectsWithAnotherCode = false;
  });
  afterEach(() => t.sandbox.world.clearFaults());
  afterAll(() => t.stop());

  /** Comes home again and again until the page shows that; the time that the push is given passes at once. */
  const shows = (link: Link, code: string, status: number) =>
    eventually(async () => {
      await t.query(
        `update delivery set due_at = now(), attempts = 3 where state = 'waiting' and subscriber = 'authorizer.returned_code'`,
      );
      const page = await merchant.comeHome(link, code);
      expect(page.status).toBe(status);
      return page;
    }, 25_000);
  /** The browser brings a code whose answer is lost. */
  async function loseAnswer(link: Link, kind: 'reset-after' | 'http') {
    const appId = merchant.newAccount();
    t.sandbox.world.setFault({ kind, path: 'api_query_auth', times: 1 });
    const granted = t.sandbox.world.grant(appId, { push: false });
    await merchant.comeHome(link, granted.redirectCode);
    return { appId, ...granted };
  }
  const push = (appId: string, code: string, more: object = {}) =>
    t.sandbox.world.pushEvent('authorized', { AuthorizerAppid: appId, AuthorizationCode: code, ...more });
  const queryAuth = () => t.sandbox.world.counters.of('api_query_auth').calls;
  const calls = (code: string) => t.sandbox.world.counters.ofCode(code);

  it('hangs: pages answer all the same, wait together, and the work is done later', async () => {
    const [link, appId] = [await merchant.createLink({ tenantId: 't-hanging' }), merchant.newAccount()];
    t.sandbox.world.setFault({ kind: 'hang', ms: 6_000, path: 'api_query_auth', times: 1 });
    const { redirectCode } = t.sandbox.world.grant(appId, { push: false });
    const asked = jest.spyOn(t.app.get(DataSource), 'query');
    const pages = await Promise.all(Array.from({ length: 40 }, () => merchant.comeHome(link, redirectCode)));
    const looks = asked.mock.calls.filter(([sql]) => /from returned_code r\b/.test(sql)).length;
    asked.mockRestore();
    expect(pages.map(({ status }) => status)).toEqual(Array(40).fill(202));
    expect(pages[0]!.text).toContain('http-equiv="refresh"');
    expect(looks).toBeGreaterThan(1);
    expect(looks).toBeLessThan(100);
    await merchant.becomes(appId, { status: 'authorized', tenantId: 't-hanging' });
    expect((await shows(link, redirectCode, 200)).text).toContain('Authorized');
    expect(calls(redirectCode)).toEqual({ calls: 1, successes: 1 });
  });

  it('refuses the component token, and gives no other: the code was not used, and is sent when there is one', async () => {
    const [link, appId] = [await merchant.createLink({ tenantId: 't-token' }), merchant.newAccount()];
    t.sandbox.world.setFault({ kind: 'errcode', errcode: 40001, path: 'api_query_auth', times: 1 });
    t.sandbox.world.setFault({ kind: 'reset-after', path: 'api_component_token', times: 3 });
    const { redirectCode } = t.sandbox.world.grant(appId, { push: false });
    const before = queryAuth();
    await merchant.comeHome(link, redirectCode);
    await eventually(() => expect(queryAuth()).toBeGreaterThan(before));
    await merchant.becomes(appId, { status: 'authorized', tenantId: 't-token' });
    expect(calls(redirectCode)).toEqual({ calls: 1, successes: 1 });
  });

  it('loses its answer, and the push comes at the same time: the push’s recovery serves both', async () => {
    const [link, appId] = [await merchant.createLink({ tenantId: 't-both' }), merchant.newAccount()];
    t.sandbox.world.setFault({ kind: 'reset-after', path: 'api_query_auth', times: 1 });
    const { code, pushed } = t.sandbox.world.grant(appId, { preAuthCode: preAuthCodeOf(link) });
    await Promise.all([pushed, merchant.comeHome(link, code)]);
    await shows(link, code, 200);
    await merchant.becomes(appId, { status: 'authorized', tenantId: 't-both', credential: { status: 'valid' } });
    expect(calls(code)).toEqual({ calls: 1, successes: 1 });
  });

  it.each([
    ['its answer', 'reset-after', 1],
    ['the question', 'http', 2],
  ] as const)(
    'loses %s: it is not sent again, the page says what is not known, and the push settles it by the code alone',
    async (_, fault, sendings) => {
      const link = await merchant.createLink({ tenantId: 't-lost', returnUrl: 'https://shop.example/' });
      const before = queryAuth();
      const { appId, redirectCode } = await loseAnswer(link, fault);
      const { text } = await shows(link, redirectCode, 409);
      expect(text).toContain('may have taken effect');
      expect(text).not.toContain('Nothing has changed');
      expect(text).toMatch(/http-equiv="refresh" content="\d+"/);
      expect(text).toContain(`action="./authorize/${link.id}"`);
      expect(queryAuth()).toBe(before + 1);
      expect(await merchant.listed(link)).toMatchObject({ status: 'pending' });

      await push(appId, redirectCode);
      await merchant.becomes(appId, { status: 'authorized', tenantId: 't-lost', credential: { status: 'valid' } });
      expect((await shows(link, redirectCode, 200)).text).toContain('shop.example');
      expect(await merchant.listed(link)).toMatchObject({ status: 'completed', authorizer: { appId } });
      // The push asks WeChat first, which knows no credential where it never saw the code.
      expect(queryAuth()).toBe(before + sendings);
      expect(calls(redirectCode).successes).toBe(1);
    },
  );

  it('loses its answer, and the push carries another code: the page says that the link is done', async () => {
    t.sandbox.world.redirectsWithAnotherCode = true;
    const link = await merchant.createLink({ tenantId: 't-other-code' });
    const { appId, code, redirectCode } = await loseAnswer(link, 'reset-after');
    await shows(link, redirectCode, 409);
    await push(appId, code, { PreAuthCode: preAuthCodeOf(link) });
    await merchant.becomes(appId, { status: 'authorized', tenantId: 't-other-code' });
    expect((await shows(link, redirectCode, 410)).text).toContain('This link has been used');
    expect(calls(redirectCode).calls).toBe(1);
  });

  it('loses its answer, and the account revokes after the push: it stays withdrawn', async () => {
    const link = await merchant.createLink({ tenantId: 't-withdrawn' });
    const { appId, redirectCode } = await loseAnswer(link, 'reset-after');
    await shows(link, redirectCode, 409);
    await push(appId, redirectCode);
    await shows(link, redirectCode, 200);
    await t.sandbox.world.revoke(appId);
    await merchant.becomes(appId, { status: 'unauthorized' });
    expect((await shows(link, redirectCode, 409)).text).toContain('has withdrawn');
  });

  it('lost the question of the push, and refuses when that asks again: nobody says that nothing has changed', async () => {
    const [link, appId] = [await merchant.createLink({ tenantId: 't-refused' }), merchant.newAccount()];
    t.sandbox.world.setFault({ kind: 'http', path: 'api_query_auth', times: 1 });
    t.sandbox.world.setFault({ kind: 'errcode', errcode: 61009, path: 'api_query_auth', times: 1 });
    const { code } = t.sandbox.world.grant(appId, { push: false });
    const before = queryAuth();
    await push(appId, code);
    await eventually(() => expect(queryAuth()).toBe(before + 2));
    expect((await shows(link, code, 409)).text).toContain('may have taken effect');
    expect(queryAuth()).toBe(before + 2);
  });

  it('loses its answer, and no push comes: WeChat’s list shows the account, and authorizing again binds it', async () => {
    await t.query(
      `update sync_run set started_at = started_at - interval '1 hour', status = 'done', finished_at = now()`,
    );
    const link = await merchant.createLink({ tenantId: 't-list' });
    const { appId, redirectCode } = await loseAnswer(link, 'reset-after');
    await shows(link, redirectCode, 409);
    expect(await t.query(`select 1 from sync_run where started_at > now() - interval '30 minutes'`)).toHaveLength(1);
    // Has the run that is waiting go on at once.
    expect((await t.post('/admin/wechat/authorizers/sync')).status).toBe(202);
    await merchant.becomes(appId, { status: 'authorized', tenantId: null });
    expect(await merchant.listed(link)).toMatchObject({ status: 'pending' });
    const again = t.sandbox.world.grant(appId);
    expect(again.change).toBe('unchanged');
    expect((await merchant.comeHome(link, again.redirectCode)).status).toBe(200);
    await merchant.becomes(appId, { status: 'authorized', tenantId: 't-list' });
    expect((await shows(link, redirectCode, 410)).text).toContain('This link has been used');
  });
});
