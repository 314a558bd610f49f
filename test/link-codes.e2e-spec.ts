import { eventually } from './support/eventually.js';
import { Merchant } from './support/merchant.js';
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

  it('a forged code: that changes nothing, and the page says so', async () => {
    const link = await merchant.createLink({ tenantId: 't-forged' });
    const before = await t.query('select * from authorizer order by id');
    const { status, text } = await merchant.comeHome(link, 'queryauthcode@@@forged');
    expect(status).toBe(400);
    expect(text).toContain('Nothing has changed');
    expect(text).toContain(`action="./authorize/${link.id}"`);
    expect(await merchant.listed(link)).toMatchObject({ status: 'pending', authorizerAppId: null });
    expect(await t.query('select * from authorizer order by id')).toEqual(before);
    const asked = queryAuth();
    expect((await merchant.comeHome(link, 'queryauthcode@@@forged')).status).toBe(400);
    expect(queryAuth()).toBe(asked);
  });

  it.each([
    ['a wrong token', { token: 'A'.repeat(32) }],
    ['no token', { token: '' }],
    ['an unknown link', { link: 'A'.repeat(32) }],
    ['a link full of NUL', { link: '\u0000' }],
  ])('a true code and %s: authorized, and bound to nobody', async (_, changes) => {
    const [link, appId] = [
      await merchant.createLink({ tenantId: 't-guessed', returnUrl: 'https://shop.example/' }),
      merchant.newAccount(),
    ];
    const { redirectCode } = t.sandbox.world.grant(appId, { push: false });
    const { text } = await merchant.comeHome(link, redirectCode, changes);
    expect(text).not.toContain('shop.example');
    await merchant.becomes(appId, { status: 'authorized', tenantId: null });
    expect(await merchant.listed(link)).toMatchObject({ status: 'pending' });
  });

  it('the token of another link: bound to nobody', async () => {
    const [link, other, appId] = [
      await merchant.createLink({ tenantId: 't-a' }),
      await merchant.createLink({ tenantId: 't-b' }),
      merchant.newAccount(),
    ];
    const { redirectCode } = t.sandbox.world.grant(appId, { push: false });
    await merchant.comeHome(link, redirectCode, { link: other.id });
    await merchant.becomes(appId, { status: 'authorized', tenantId: null });
  });

  it('the code of an authorization that was withdrawn since: it stays withdrawn', async () => {
    const [link, appId] = [await merchant.createLink({ tenantId: 't-late' }), merchant.newAccount()];
    const { redirectCode } = await t.sandbox.world.authorize(appId);
    await merchant.becomes(appId, { status: 'authorized' });
    await t.sandbox.world.revoke(appId);
    await merchant.becomes(appId, { status: 'unauthorized' });
    const { status } = await merchant.comeHome(link, redirectCode);
    expect(status).toBe(409);
    expect(await merchant.authorizer(appId)).toMatchObject({ status: 'unauthorized', tenantId: null });
    expect(await merchant.listed(link)).toMatchObject({ status: 'pending' });
  });

  it('a code whose exchange is overtaken by a revocation: it stays withdrawn', async () => {
    const [link, appId] = [await merchant.createLink({ tenantId: 't-overtaken' }), merchant.newAccount()];
    t.sandbox.world.setFault({ kind: 'hang', ms: 1_000, path: 'api_query_auth' });
    const { redirectCode } = t.sandbox.world.grant(appId, { push: false });
    const asked = queryAuth();
    const page = merchant.comeHome(link, redirectCode);
    await eventually(() => expect(queryAuth()).toBe(asked + 1));
    await t.sandbox.world.pushEvent('unauthorized', { AuthorizerAppid: appId });
    await merchant.becomes(appId, { status: 'unauthorized' });
    await page;
    await eventually(async () => expect((await merchant.comeHome(link, redirectCode)).status).toBe(409));
    expect(await merchant.authorizer(appId)).toMatchObject({
      status: 'unauthorized',
      credential: { status: 'missing' },
    });
  });

  it('a hostile name: it is text on the page', async () => {
    const appId = merchant.newAccount('<script>alert("1")</script>&\'');
    const link = await merchant.createLink({ returnUrl: 'https://shop.example/?a=1&b="><script>' });
    const { redirectCode } = t.sandbox.world.grant(appId, { push: false });
    const { text, headers } = await merchant.comeHome(link, redirectCode);
    expect(text).toContain('&#60;script&#62;alert(&#34;1&#34;)');
    expect(text).not.toContain('<script');
    expect(text).toContain('href="https://shop.example/?a=1&#38;b=&#34;&#62;&#60;script&#62;"');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(text).not.toContain(redirectCode);
  });

  it.each([
    ['none', ''],
    ['an empty one', '?auth_code=&expires_in=3600'],
    ['two', '?auth_code=a&auth_code=b'],
    ['one with a line feed', '?auth_code=a%0Ab'],
    ['one with NUL', '?auth_code=a%00b'],
    ['one that is not ASCII', `?auth_code=${encodeURIComponent('授权码')}`],
    ['one that is too long', `?auth_code=${'a'.repeat(513)}`],
    ['an object', '?auth_code[x]=1'],
  ])('no code that can be one (%s): 400, and WeChat is not asked', async (_, query) => {
    const before = queryAuth();
    const { status, headers, text } = await t.request('GET', `/social/with/wechat/authorized${query}`, { key: null });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(text).toContain('没有任何变更');
    expect(queryAuth()).toBe(before);
  });

  it('parameters that nobody knows: they are ignored', async () => {
    const [link, appId] = [await merchant.createLink({ tenantId: 't-more' }), merchant.newAccount()];
    const { redirectCode } = t.sandbox.world.grant(appId, { push: false });
    const changes = {
      expires_in: 'x',
      tenantId: 't-evil',
      state: 'evil',
      appid: 'wx0',
      returnUrl: 'https://evil.example',
    };
    const { text } = await merchant.comeHome(link, redirectCode, changes);
    expect(text).not.toContain('evil');
    await merchant.becomes(appId, { status: 'authorized', tenantId: 't-more' });
  });

  it('its link expired meanwhile: who had begun is bound, who comes days later is not', async () => {
    const [begun, late] = [
      await merchant.createLink({ tenantId: 't-begun' }),
      await merchant.createLink({ tenantId: 't-days' }),
    ];
    await t.query(`update authorization_link set expires_at = now() - interval '1 hour' where id = $1`, [begun.id]);
    await t.query(`update authorization_link set expires_at = now() - interval '3 hours' where id = $1`, [late.id]);
    const [first, second] = [merchant.newAccount(), merchant.newAccount()];
    await merchant.comeHome(begun, t.sandbox.world.grant(first, { push: false }).redirectCode);
    await merchant.comeHome(late, t.sandbox.world.grant(second, { push: false }).redirectCode);
    await merchant.becomes(first, { status: 'authorized', tenantId: 't-begun' });
    await merchant.becomes(second, { status: 'authorized', tenantId: null });
  });
});
