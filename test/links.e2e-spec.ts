import { type Link, type ListedLink, Merchant, read } from './support/merchant.js';
import { KEYS, TestPlatform } from './support/platform.js';
import { publicAddress } from './support/public-address.js';

const LINKS = '/admin/wechat/authorization-links';

interface Problem {
  code: string;
  errors: { field: string }[];
}

describe('authorization links', () => {
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
  describe('when an operator makes one', () => {
    it('give our page for a week, and WeChat’s pages with a code fetched now', async () => {
      const before = calls();
      const link = await merchant.createLink({ tenantId: 't-1', state: 'order-1' });
      expect(calls()).toBe(before + 1);
      expect(Object.keys(link)).toEqual(['id', 'url', 'desktopUrl', 'mobileUrl', 'expiresAt', 'status']);
      expect(link).toMatchObject({ url: `${t.url}/social/with/wechat/authorize/${link.id}`, status: 'pending' });
      expect(Date.parse(link.expiresAt) - Date.now()).toBeGreaterThan(6.99 * 86_400_000);
      expect(Date.parse(link.expiresAt) - Date.now()).toBeLessThanOrEqual(7 * 86_400_000);
      for (const url of [link.desktopUrl, link.mobileUrl]) {
        expect(new URL(url).origin).toBe(t.sandbox.url);
        const { component_appid, pre_auth_code, redirect_uri, auth_type } = read(url);
        expect({ component_appid, auth_type }).toEqual({ component_appid: t.env.platform.appId, auth_type: '3' });
        expect(t.sandbox.world.platform.usablePreAuthCode(pre_auth_code!)).toBe(pre_auth_code);
        expect(redirect_uri).toMatch(
          new RegExp(`^${t.url}/social/with/wechat/authorized\\?link=${link.id}&token=[\\w-]{32}$`),
        );
      }
    });

    it('keep what they are given whole, up to its limits', async () => {
      const [tenantId, state] = ['租😀'.repeat(66), `${'é"\\\'<&%+ '.repeat(111)}😀`.slice(-1000)];
      const returnUrl = `https://shop.example/${'%E5%BA%97'.repeat(218)}?a=1&b=%20`;
      const link = await merchant.createLink({ tenantId, state, returnUrl });
      expect(await merchant.listed(link)).toMatchObject({ tenantId, state, returnUrl });
      const found = await t.get<{ items: ListedLink[] }>(`${LINKS}?tenantId=${encodeURIComponent(tenantId)}`);
      expect(found.body.items).toHaveLength(1);
    });

    it('say to WeChat what was asked for: type, one account, permission sets', async () => {
      for (const authType of [1, 2, 3, 4, 5, 6, 8])
        expect(read((await merchant.createLink({ authType })).mobileUrl)).toMatchObject({
          auth_type: String(authType),
        });
      const wish = { authType: 2, authorizerAppId: 'wxf8b4f85f3a794e77', permissionIds: [1, 15] };
      const query = read((await merchant.createLink(wish)).desktopUrl);
      expect(query).toMatchObject({ auth_type: '2', biz_appid: 'wxf8b4f85f3a794e77', category_id_list: '1|15' });
    });

    it.each([
      ['tenantId', { tenantId: '' }],
      ['tenantId', { tenantId: 'x'.repeat(201) }],
      ['tenantId', { tenantId: 7 }],
      ['tenantId', { tenantId: 'a\u0000b' }],
      ['tenantId', { tenantId: '\ud800' }],
      ['state', { state: 'two\nlines' }],
      ['state', { state: 'x'.repeat(1001) }],
      ['state', { state: null }],
      ['authType', { authType: 7 }],
      ['authType', { authType: '1' }],
      ['authType', { authType: 0 }],
      ['authorizerAppId', { authorizerAppId: 'gh_123' }],
      ['authorizerAppId', { authorizerAppId: 'wx1&auth_type=6' }],
      ['returnUrl', { returnUrl: 'javascript:alert(1)' }],
      ['returnUrl', { returnUrl: 'data:text/html,<script>alert(1)</script>' }],
      ['returnUrl', { returnUrl: 'https:evil.example' }],
      ['returnUrl', { returnUrl: 'https://user:secret@shop.example/' }],
      ['returnUrl', { returnUrl: '//evil.example' }],
      ['returnUrl', { returnUrl: '/relative' }],
      ['returnUrl', { returnUrl: 'https://shop.example@evil.example/' }],
      ['returnUrl', { returnUrl: 'https://' }],
      ['returnUrl', { returnUrl: `https://shop.example/${'x'.repeat(2000)}` }],
      ['permissionIds', { permissionIds: [] }],
      ['permissionIds.0', { permissionIds: ['1|2'] }],
      ['permissionIds', { permissionIds: [1, 1] }],
      ['permissionIds.1', { permissionIds: [1, -1] }],
      ['tenantID', { tenantID: 't-1' }],
      ['(body)', []],
    ])('refuse a wrong %s by name, and ask WeChat nothing', async (field, body) => {
      const before = calls();
      const { status, body: problem } = await t.post<Problem>(LINKS, body);
      expect({ status, fields: problem.errors.map((error) => error.field) }).toEqual({ status: 400, fields: [field] });
      expect(calls()).toBe(before);
    });

    it('name every wrong field at once', async () => {
      const { body } = await t.post<Problem>(LINKS, { tenantId: '', authType: 9, nonsense: 1 });
      expect(body.errors.map(({ field }) => field).sort()).toEqual(['authType', 'nonsense', 'tenantId']);
    });

    it('are for operators to make and for viewers to see', async () => {
      expect((await t.post(LINKS, {}, null)).status).toBe(401);
      expect((await t.post(LINKS, {}, KEYS.viewer)).status).toBe(403);
      expect((await t.post(LINKS, {}, KEYS.service)).status).toBe(403);
      expect((await t.get(LINKS, null)).status).toBe(401);
      expect((await t.get(LINKS, KEYS.service)).status).toBe(403);
      expect((await t.get(LINKS)).status).toBe(200);
      expect((await t.post(`${LINKS}/x/resolve`, { resolution: 'keep' }, KEYS.viewer)).status).toBe(403);
    });

    it.each([
      ['is down', { kind: 'http', status: 502 }],
      ['is too busy', { kind: 'errcode', errcode: -1 }],
      ['breaks the connection', { kind: 'reset-before' }],
      ['leaves the call hanging', { kind: 'hang', ms: 20_000 }],
    ] as const)('are not half made when WeChat %s: 503, and when to try again', async (_, fault) => {
      t.sandbox.world.setFault({ ...fault, path: 'api_create_preauthcode' });
      const count = () =>
        t.query('select count(*)::int from authorization_link union all select count(*)::int from pre_auth_code');
      const before = await count();
      const { status, headers } = await t.post(LINKS, { tenantId: 't-none' });
      expect(status).toBe(503);
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await count()).toEqual(before);
    });

    it('keep no code and no token in the clear', async () => {
      const link = await merchant.createLink({ tenantId: 't-secret' });
      const rows = JSON.stringify([
        await t.query('select * from authorization_link'),
        await t.query('select * from pre_auth_code'),
      ]);
      const { pre_auth_code, redirect_uri } = read(link.desktopUrl);
      for (const secret of [pre_auth_code!, pre_auth_code!.slice(14, 60), read(redirect_uri!).token!])
        expect(rows + t.logs.join('')).not.toContain(secret);
    });
  });

  describe('in the list', () => {
    it('come newest first, in pages that stay stable when more are made', async () => {
      const links: Link[] = [];
      for (let index = 0; index < 5; index++) links.push(await merchant.createLink({ tenantId: '分页 租户' }));
      const ids = links.map(({ id }) => id).reverse();
      const path = `${LINKS}?tenantId=${encodeURIComponent('分页 租户')}&limit=2`;
      const first = (await t.get<{ items: ListedLink[]; nextCursor: string }>(path)).body;
      await merchant.createLink({ tenantId: '分页 租户' });
      const second = (await t.get<{ items: ListedLink[]; nextCursor: string }>(`${path}&cursor=${first.nextCursor}`))
        .body;
      const third = (await t.get<{ items: ListedLink[]; nextCursor: null }>(`${path}&cursor=${second.nextCursor}`))
        .body;
      expect([...first.items, ...second.items, ...third.items].map(({ id }) => id)).toEqual(ids);
      expect(third.nextCursor).toBeNull();
    });

    it('are filtered by status', async () => {
      const expired = await merchant.createLink({ tenantId: 't-old' });
      await t.query(`update authorization_link set expires_at = now() where id = $1`, [expired.id]);
      const ids = async (status: string) =>
        (await t.get<{ items: ListedLink[] }>(`${LINKS}?tenantId=t-old&status=${status}`)).body.items.map(
          ({ id }) => id,
        );
      expect(await ids('expired')).toEqual([expired.id]);
      expect(await ids('pending')).toEqual([]);
      expect(await ids('completed')).toEqual([]);
      expect(await merchant.listed(expired)).toMatchObject({ status: 'expired', authorizer: null, conflicts: [] });
    });

    it.each([
      'status=open',
      'status=',
      'limit=0',
      'limit=201',
      'limit=x',
      'cursor=x',
      'conflict=yes',
      'tenantId=',
      'tenantid=x',
    ])('refuse ?%s', async (query) => {
      expect((await t.get(`${LINKS}?${query}`)).status).toBe(400);
    });
  });
});

describe('before the first ticket', () => {
  it('a link cannot be made: 503, and when to try again', async () => {
    const t = await TestPlatform.start({ ticket: false });
    const { status, headers, body } = await t.post<Problem>(LINKS, {});
    expect({ status, code: body.code, retryAfter: headers.get('retry-after') }).toEqual({
      status: 503,
      code: 'NO_TICKET',
      retryAfter: '5',
    });
    await t.stop();
  });
});
