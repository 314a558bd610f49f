import { eventually } from './support/eventually.js';
import { type Link, Merchant, preAuthCodeOf, read } from './support/merchant.js';
import { TestPlatform } from './support/platform.js';
import { publicAddress } from './support/public-address.js';
import { Witness } from './support/witness.js';

describe('an account that comes with a link', () => {
  let t: TestPlatform;
  let merchant: Merchant;
  beforeAll(async () => {
    t = await TestPlatform.start({ variables: { ...(await publicAddress()) }, providers: [Witness] });
    merchant = new Merchant(t);
    await merchant.createLink();
  });
  beforeEach(() => {
    t.sandbox.world.redirectsWithAnotherCode = false;
  });
  afterEach(() => t.sandbox.world.clearFaults());
  afterAll(() => t.stop());

  const pushLate = (appId: string, code: string, preAuthCode?: string) =>
    t.sandbox.world.pushEvent('authorized', {
      AuthorizerAppid: appId,
      AuthorizationCode: code,
      AuthorizationCodeExpiredTime: Math.floor(Date.now() / 1000) + 3600,
      ...(preAuthCode === undefined ? {} : { PreAuthCode: preAuthCode }),
    });
  /** What is announced once the whole story has been told: exactly one authorization, with its tenant. */
  const settlesOn = async (appId: string, link: Link, facts: { tenantId: string; state: string | null }) => {
    await merchant.becomes(appId, { status: 'authorized', ...facts, credential: { status: 'valid' } });
    await eventually(async () => {
      const waiting = await t.query(`select 1 from delivery where state in ('waiting', 'parked')`);
      expect(waiting).toEqual([]);
    });
    expect(t.app.get(Witness).heardOf(appId, 'authorizer.authorized')).toEqual([expect.objectContaining(facts)]);
    expect(await merchant.listed(link)).toMatchObject({ status: 'completed', authorizer: { appId }, conflicts: [] });
  };

  describe('is bound to its tenant', () => {
    const FACTS = { tenantId: "租户 “甲” <b>&'😀", state: 'état "1" \\ {"a":1}' };

    it('by the push alone, whose pre-auth code is the link’s', async () => {
      const [link, appId] = [await merchant.createLink(FACTS), merchant.newAccount()];
      await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(link) });
      await settlesOn(appId, link, FACTS);
    });

    it('by the browser alone, when the push is lost', async () => {
      const [link, appId] = [await merchant.createLink(FACTS), merchant.newAccount()];
      const { redirectCode } = t.sandbox.world.grant(appId, { push: false });
      const { status, text } = await merchant.comeHome(link, redirectCode);
      expect(status).toBe(200);
      expect(text).toContain('Authorized');
      await settlesOn(appId, link, FACTS);
    });

    it.each([
      ['the same code', false],
      ['another code', true],
    ])('once, when the push is first and the browser brings %s', async (_, another) => {
      t.sandbox.world.redirectsWithAnotherCode = another;
      const [link, appId] = [await merchant.createLink(FACTS), merchant.newAccount()];
      const { code, redirectCode } = await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(link) });
      await merchant.becomes(appId, { status: 'authorized' });
      const { status, text } = await merchant.comeHome(link, redirectCode);
      expect(status).toBe(200);
      expect(text).toContain('街角咖啡');
      await settlesOn(appId, link, FACTS);
      expect(code === redirectCode).toBe(!another);
      for (const sent of new Set([code, redirectCode])) expect(t.sandbox.world.counters.ofCode(sent).calls).toBe(1);
    });

    it.each([
      ['the same code', false],
      ['another code', true],
    ])('once, when the browser is first and the push brings %s', async (_, another) => {
      t.sandbox.world.redirectsWithAnotherCode = another;
      const [link, appId] = [await merchant.createLink(FACTS), merchant.newAccount()];
      const { code, redirectCode } = t.sandbox.world.grant(appId, { push: false });
      expect((await merchant.comeHome(link, redirectCode)).status).toBe(200);
      await merchant.becomes(appId, { status: 'authorized' });
      expect(await pushLate(appId, code, preAuthCodeOf(link))).toMatchObject({ accepted: true });
      await settlesOn(appId, link, FACTS);
      for (const sent of new Set([code, redirectCode])) expect(t.sandbox.world.counters.ofCode(sent).calls).toBe(1);
      // Nobody had to go looking for tokens that are there.
      expect(t.sandbox.world.counters.ofAuthorizerToken(appId).calls).toBe(0);
    });

    it.each([false, true])(
      'once, when both come at the same moment, many times over (another code: %s)',
      async (another) => {
        t.sandbox.world.redirectsWithAnotherCode = another;
        const link = await merchant.createLink(FACTS);
        const appId = merchant.newAccount();
        const { redirectCode, pushed } = t.sandbox.world.grant(appId, { preAuthCode: preAuthCodeOf(link) });
        const pages = await Promise.all(Array.from({ length: 8 }, () => merchant.comeHome(link, redirectCode)));
        expect(await pushed).toMatchObject({ accepted: true });
        expect(pages.every(({ status }) => status === 200 || status === 202)).toBe(true);
        await settlesOn(appId, link, FACTS);
        expect(t.sandbox.world.counters.ofCode(redirectCode).calls).toBe(1);
        expect((await merchant.comeHome(link, redirectCode)).status).toBe(200);
      },
    );

    it('by the browser where the push names no pre-auth code', async () => {
      const [link, appId] = [await merchant.createLink(FACTS), merchant.newAccount()];
      const { redirectCode } = await t.sandbox.world.authorize(appId);
      await merchant.becomes(appId, { status: 'authorized', tenantId: null });
      await merchant.comeHome(link, redirectCode);
      await merchant.becomes(appId, FACTS);
      await eventually(() =>
        expect(t.app.get(Witness).heardOf(appId, 'authorizer.updated')).toEqual([
          expect.objectContaining({
            ...FACTS,
            changes: expect.objectContaining({ fields: ['tenantId', 'state'] }) as object,
          }),
        ]),
      );
      expect(await merchant.listed(link)).toMatchObject({ status: 'completed' });
    });

    it('by any code of its link, and one in WeChat’s other spelling', async () => {
      const link = await merchant.createLink({ tenantId: 't-codes' });
      const first = preAuthCodeOf(link);
      await t.query(`update pre_auth_code set expires_at = now() + interval '1 minute' where link_id = $1`, [link.id]);
      expect((await merchant.open(link.id)).status).toBe(200);
      const appId = merchant.newAccount();
      await t.sandbox.world.authorize(appId, { preAuthCode: first.replace('preauthcode@@@', '') });
      await settlesOn(appId, link, { tenantId: 't-codes', state: null });
    });
  });

  it('keeps its tenant when it authorizes again without a link', async () => {
    const [link, appId] = [await merchant.createLink({ tenantId: 't-keeps', state: 's' }), merchant.newAccount()];
    await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(link), funcIds: [17, 18] });
    await settlesOn(appId, link, { tenantId: 't-keeps', state: 's' });
    await t.sandbox.world.updateAuthorization(appId, [17]);
    await eventually(() => expect(t.app.get(Witness).heardOf(appId, 'authorizer.updated')).toHaveLength(1));
    expect(await merchant.authorizer(appId)).toMatchObject({
      tenantId: 't-keeps',
      state: 's',
      permissions: [{ id: 17 }],
    });
    await t.sandbox.world.revoke(appId);
    await merchant.becomes(appId, { status: 'unauthorized', tenantId: 't-keeps' });
  });

  it('may come again with another link of the same tenant, which may name another state', async () => {
    const appId = merchant.newAccount();
    const first = await merchant.createLink({ tenantId: 't-same', state: 'one' });
    await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(first), funcIds: [17, 18] });
    await merchant.becomes(appId, { status: 'authorized', state: 'one' });
    const second = await merchant.createLink({ tenantId: 't-same', state: 'two' });
    await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(second), funcIds: [17] });
    await merchant.becomes(appId, { tenantId: 't-same', state: 'two' });
    expect(await merchant.listed(second)).toMatchObject({ status: 'completed', conflicts: [] });
  });

  it('is not taken back by the browser of an earlier link that comes late', async () => {
    const appId = merchant.newAccount();
    const first = await merchant.createLink({ tenantId: 't-again', state: 'one' });
    const early = await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(first), funcIds: [17, 18] });
    await merchant.becomes(appId, { status: 'authorized', state: 'one' });
    const second = await merchant.createLink({ tenantId: 't-again', state: 'two' });
    await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(second), funcIds: [17] });
    await merchant.becomes(appId, { state: 'two' });
    expect((await merchant.comeHome(first, early.redirectCode)).status).toBe(200);
    expect(await merchant.authorizer(appId)).toMatchObject({ tenantId: 't-again', state: 'two' });
  });

  it('leaves no code in the clear, in the database or the log', async () => {
    const [link, appId] = [await merchant.createLink({ tenantId: 't-clear' }), merchant.newAccount()];
    const { redirectCode } = t.sandbox.world.grant(appId, { preAuthCode: preAuthCodeOf(link) });
    await merchant.comeHome(link, redirectCode);
    await merchant.becomes(appId, { status: 'authorized', tenantId: 't-clear' });
    const tables = [
      'returned_code',
      'pre_auth_code',
      'link_binding',
      'authorization_link',
      'event',
      'delivery',
      'code_exchange',
    ];
    const rows = await Promise.all(tables.map((table) => t.query(`select * from ${table}`)));
    const kept = JSON.stringify(rows) + t.logs.join('');
    for (const secret of [redirectCode, preAuthCodeOf(link), read(read(link.desktopUrl).redirect_uri!).token!])
      expect(kept).not.toContain(secret);
    const sealed = await t.query('select 1 from returned_code where outcome is not null and code is not null');
    expect(sealed).toEqual([]);
    expect(t.app.get(Witness).heard.some(({ type }) => type.startsWith('internal.'))).toBe(false);
  });
});
