import { Client } from 'pg';
import { eventually } from './support/eventually.js';
import { type Link, type ListedLink, Merchant, preAuthCodeOf } from './support/merchant.js';
import { KEYS, TestPlatform } from './support/platform.js';
import { publicAddress } from './support/public-address.js';
import { Witness } from './support/witness.js';

const LINKS = '/admin/wechat/authorization-links';

interface PlatformStatus {
  health: string;
  reasons: { code: string; message: string }[];
  openConflicts: number;
}

describe('an account that its link may not bind', () => {
  let t: TestPlatform;
  let merchant: Merchant;
  beforeAll(async () => {
    t = await TestPlatform.start({ variables: await publicAddress(), providers: [Witness] });
    merchant = new Merchant(t);
    await merchant.createLink();
  });
  afterAll(() => t.stop());

  const heard = (appId: string, type: string) => t.app.get(Witness).heardOf(appId, type);
  const resolve = (link: Link, authorizerAppId: string, resolution: string) =>
    t.post<ListedLink>(`${LINKS}/${link.id}/resolve`, { authorizerAppId, resolution });
  const openOnes = async () => (await t.get<{ items: ListedLink[] }>(`${LINKS}?conflict=open&limit=200`)).body.items;
  const platform = async () => (await t.get<PlatformStatus>('/admin/wechat/platform')).body;

  /** An account of one tenant comes with a link of another. */
  async function otherTenant(): Promise<{ link: Link; appId: string; page: string }> {
    const appId = merchant.newAccount();
    const first = await merchant.createLink({ tenantId: 't-first', state: 'first' });
    await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(first) });
    await merchant.becomes(appId, { status: 'authorized', tenantId: 't-first' });
    const link = await merchant.createLink({ tenantId: 't-second', state: 'second' });
    const { redirectCode } = t.sandbox.world.grant(appId, { preAuthCode: preAuthCodeOf(link) });
    const { text: page } = await merchant.comeHome(link, redirectCode);
    return { link, appId, page };
  }

  /** An account comes with a link that was made for another. */
  async function otherAccount(): Promise<{ link: Link; wanted: string; appId: string }> {
    const [wanted, appId] = [merchant.newAccount(), merchant.newAccount()];
    const link = await merchant.createLink({ tenantId: 't-only', authorizerAppId: wanted });
    return { link, wanted, appId };
  }

  describe('because it belongs to another tenant', () => {
    it('stays there, and nobody but operators is told whose it is', async () => {
      const { link, appId, page } = await otherTenant();
      expect(page).toContain('Received, to be confirmed');
      expect(page).not.toMatch(/t-first|t-second/);
      expect(await merchant.authorizer(appId)).toMatchObject({
        status: 'authorized',
        tenantId: 't-first',
        state: 'first',
      });
      expect(await merchant.listed(link)).toMatchObject({
        status: 'completed',
        tenantId: 't-second',
        authorizerAppId: appId,
        conflicts: [{ authorizerAppId: appId, reason: 'other_tenant', tenantId: 't-first', resolution: null }],
      });
      await eventually(() =>
        expect(heard(appId, 'authorizer.binding_conflict')).toEqual([
          { tenantId: 't-first', wantedTenantId: 't-second', linkId: link.id },
        ]),
      );
    });

    it('is decided about in the order in which everybody takes locks: the account first', async () => {
      const { link, appId } = await otherTenant();
      const other = new Client({ connectionString: t.database.url });
      await other.connect();
      try {
        await other.query('begin');
        await other.query('select 1 from authorizer where app_id = $1 for update', [appId]);
        const decided = resolve(link, appId, 'move');
        await eventually(async () => {
          const waits = await t.query(
            `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
          );
          expect(waits).not.toEqual([]);
        });
        await other.query('select 1 from link_binding where link_id = $1 and app_id = $2 for update nowait', [
          link.id,
          appId,
        ]);
        await other.query('commit');
        expect((await decided).status).toBe(200);
      } finally {
        await other.end();
      }
    });

    it('stays when the operator says keep', async () => {
      const { link, appId } = await otherTenant();
      const { status, body } = await resolve(link, appId, 'keep');
      expect(status).toBe(200);
      expect(body.conflicts).toMatchObject([{ resolution: 'keep', resolvedBy: 'operator' }]);
      expect(await merchant.authorizer(appId)).toMatchObject({ tenantId: 't-first', state: 'first' });
    });

    it('moves when the operator says move, and neighbours hear of it', async () => {
      const { link, appId } = await otherTenant();
      expect((await resolve(link, appId, 'move')).body.conflicts).toMatchObject([{ resolution: 'move' }]);
      expect(await merchant.authorizer(appId)).toMatchObject({ tenantId: 't-second', state: 'second' });
      await eventually(() =>
        expect(heard(appId, 'authorizer.updated')).toEqual([
          expect.objectContaining({
            tenantId: 't-second',
            changes: expect.objectContaining({ fields: ['tenantId', 'state'] }) as object,
          }),
        ]),
      );
    });
  });

  describe('because the link was made for another account', () => {
    const isNotBound = async (link: Link, appId: string) => {
      await merchant.becomes(appId, { status: 'authorized', tenantId: null, state: null });
      expect(await merchant.listed(link)).toMatchObject({
        status: 'pending',
        authorizer: null,
        conflicts: [{ authorizerAppId: appId, reason: 'other_account', tenantId: null, resolution: null }],
      });
    };

    it('is not bound by the push, and the link waits for the one it was made for', async () => {
      const { link, wanted, appId } = await otherAccount();
      await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(link) });
      await isNotBound(link, appId);
      await t.sandbox.world.authorize(wanted, { preAuthCode: preAuthCodeOf(link) });
      await merchant.becomes(wanted, { status: 'authorized', tenantId: 't-only' });
      expect(await merchant.listed(link)).toMatchObject({
        status: 'completed',
        authorizer: { appId: wanted },
        conflicts: [{ authorizerAppId: appId }],
      });
    });

    it('is not bound by the browser, whose page says so', async () => {
      const { link, wanted, appId } = await otherAccount();
      const { redirectCode } = t.sandbox.world.grant(appId, { push: false });
      const { status, text } = await merchant.comeHome(link, redirectCode);
      expect(status).toBe(409);
      expect(text).toContain('Not the account this link is for');
      expect(text).toContain(`action="./authorize/${link.id}"`);
      await isNotBound(link, appId);
      const right = t.sandbox.world.grant(wanted, { push: false });
      expect((await merchant.comeHome(link, right.redirectCode)).status).toBe(200);
      await merchant.becomes(wanted, { status: 'authorized', tenantId: 't-only' });
    });

    it('is not bound where the push is first and the browser second', async () => {
      const { link, appId } = await otherAccount();
      const { redirectCode } = await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(link) });
      await merchant.becomes(appId, { status: 'authorized' });
      expect((await merchant.comeHome(link, redirectCode)).status).toBe(409);
      await isNotBound(link, appId);
    });

    it('is bound after all when the operator says move, which completes the link', async () => {
      const { link, appId } = await otherAccount();
      const { redirectCode } = t.sandbox.world.grant(appId, { push: false });
      await merchant.comeHome(link, redirectCode);
      await isNotBound(link, appId);
      expect((await resolve(link, appId, 'move')).body).toMatchObject({ status: 'completed', authorizer: { appId } });
      expect(await merchant.authorizer(appId)).toMatchObject({ tenantId: 't-only' });
      expect((await merchant.comeHome(link, redirectCode)).text).toContain('Authorized');
    });

    it('is shown with the tenant it has, which a decision would take it from', async () => {
      const { link, appId } = await otherAccount();
      const own = await merchant.createLink({ tenantId: 't-own' });
      await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(own), funcIds: [17] });
      await merchant.becomes(appId, { status: 'authorized', tenantId: 't-own' });
      await t.sandbox.world.authorize(appId, { preAuthCode: preAuthCodeOf(link), funcIds: [18] });
      await eventually(async () =>
        expect((await merchant.listed(link)).conflicts).toMatchObject([{ reason: 'other_account', tenantId: 't-own' }]),
      );
    });
  });

  it('is found by an operator from the platform status to the audit log', async () => {
    for (const { id, conflicts } of await openOnes())
      for (const { authorizerAppId, resolution } of conflicts)
        if (resolution === null) await resolve({ id } as Link, authorizerAppId, 'keep');
    expect(await platform()).toMatchObject({ openConflicts: 0, reasons: [] });
    const { link, appId } = await otherTenant();
    const { health, reasons, openConflicts } = await platform();
    expect({ health, codes: reasons.map(({ code }) => code), openConflicts }).toEqual({
      health: 'degraded',
      codes: ['open_conflicts'],
      openConflicts: 1,
    });
    const path = /\/admin\S+open/.exec(reasons[0]!.message)![0];
    const [found] = (await t.get<{ items: ListedLink[] }>(path)).body.items;
    expect(found).toMatchObject({ id: link.id, tenantId: 't-second', conflicts: [{ tenantId: 't-first' }] });
    expect((await resolve(link, appId, 'move')).status).toBe(200);
    expect(await openOnes()).toEqual([]);
    expect(await platform()).toMatchObject({ openConflicts: 0, reasons: [] });
    const audit = await t.get<{ items: object[] }>('/admin/wechat/audit?limit=1');
    expect(audit.body.items).toMatchObject([
      { actor: { name: 'operator' }, action: 'link.resolve', target: link.id, outcome: 'succeeded' },
    ]);
  });

  it('is decided once, whoever decides at the same time', async () => {
    const { link, appId } = await otherTenant();
    const answers = await Promise.all(['keep', 'move', 'keep', 'move'].map((word) => resolve(link, appId, word)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
  });

  it('is decided alone, although others that came with the link wait too', async () => {
    const { link, appId } = await otherAccount();
    const another = merchant.newAccount();
    for (const came of [appId, another]) await t.sandbox.world.authorize(came, { preAuthCode: preAuthCodeOf(link) });
    await eventually(async () => expect((await merchant.listed(link)).conflicts).toHaveLength(2));
    const { body } = await resolve(link, appId, 'move');
    expect(body.conflicts.map(({ authorizerAppId, resolution }) => [authorizerAppId, resolution])).toEqual([
      [another, null],
      [appId, 'move'],
    ]);
    await merchant.becomes(another, { tenantId: null });
    expect((await openOnes()).map(({ id }) => id)).toContain(link.id);
  });

  it('is decided by operators, with keep or move, about an account that waits for it', async () => {
    const link = await merchant.createLink();
    const decide = (id: string, body: object, key: string = KEYS.operator) =>
      t.post(`${LINKS}/${id}/resolve`, body, key).then(({ status }) => status);
    const decision = { authorizerAppId: 'wxf8b4f85f3a794e77', resolution: 'keep' };
    expect(await decide(link.id, decision)).toBe(409);
    expect(await decide(link.id, { ...decision, resolution: 'steal' })).toBe(400);
    expect(await decide(link.id, { ...decision, authorizerAppId: 'wx\u0000' })).toBe(400);
    expect(await decide(link.id, { resolution: 'keep' })).toBe(400);
    expect(await decide(link.id, {})).toBe(400);
    expect(await decide('A'.repeat(32), decision)).toBe(404);
    expect(await decide('%00', decision)).toBe(404);
    expect(await decide(link.id, decision, KEYS.viewer)).toBe(403);
  });
});
