import { eventually } from './support/eventually.js';
import { TestPlatform } from './support/platform.js';

interface Authorizer {
  appId: string;
  status: string;
  accountType: string;
  attention: string | null;
  permissions: { id: number; name: string | null }[];
  credential: { status: string };
  authorizedAt: string | null;
  unauthorizedAt: string | null;
}
interface Event {
  id: string;
  infoType: string;
  status: string;
}

const now = () => Math.floor(Date.now() / 1000);

describe('an authorization', () => {
  let t: TestPlatform;
  beforeAll(async () => {
    t = await TestPlatform.start();
  });
  afterAll(async () => {
    await t.stop();
  });
  afterEach(() => t.sandbox.world.clearFaults());

  const account = (options: Partial<Parameters<typeof t.sandbox.world.addAccount>[0]> = {}) =>
    t.sandbox.world.addAccount({ kind: 'mini_program', ...options });
  const authorizer = async (appId: string) => (await t.get<Authorizer>(`/admin/wechat/authorizers/${appId}`)).body;
  const becomes = (appId: string, expected: object) =>
    eventually(async () => expect(await authorizer(appId)).toMatchObject(expected));
  const pushes = async (appId: string) =>
    (await t.get<{ items: Event[] }>(`/admin/wechat/authorizers/${appId}/events`)).body.items;
  const allHandled = (appId: string) =>
    eventually(async () => expect((await pushes(appId)).map(({ status }) => status)).not.toContain('received'));
  const announced = async (appId: string) =>
    (
      await t.query<{ type: string; data: Record<string, unknown> }>(
        `select type, data from event where authorizer_app_id = $1 and type like 'authorizer.%' order by position`,
        [appId],
      )
    ).map(({ type, data }) => ({ type, data }));
  const typesAnnounced = async (appId: string) => (await announced(appId)).map(({ type }) => type);

  it('becomes a record with a credential and a profile, and is announced once', async () => {
    const { appId, nickName } = account();
    const { push } = await t.sandbox.world.authorize(appId, { funcIds: [17, 18, 4711] });
    expect(push).toMatchObject({ accepted: true });
    await becomes(appId, {
      status: 'authorized',
      accountType: 'mini_program',
      nickName,
      credential: { status: 'valid' },
      attention: null,
      permissions: [
        { id: 17, name: '获取小程序码' },
        { id: 18, name: '小程序开发与数据分析' },
        { id: 4711, name: null },
      ],
    });
    expect(await typesAnnounced(appId)).toEqual(['authorizer.authorized']);
    await allHandled(appId);
  });

  it.each(['official_account', 'service_account', 'channels', 'store', 'talent'] as const)(
    'of a %s is recorded as one',
    async (kind) => {
      const { appId } = account({ kind });
      await t.sandbox.world.authorize(appId);
      await becomes(appId, { status: 'authorized', accountType: kind });
    },
  );

  it('is answered with success before WeChat is asked anything, while its API hangs', async () => {
    const { appId } = account();
    t.sandbox.world.setFault({ kind: 'hang', ms: 30_000 });
    const asked = t.sandbox.world.counters.of('/cgi-bin/component/api_query_auth').calls;
    const { push } = await t.sandbox.world.authorize(appId);
    expect(push).toMatchObject({ accepted: true });
    await eventually(() =>
      expect(t.sandbox.world.counters.of('/cgi-bin/component/api_query_auth').calls).toBeGreaterThan(asked),
    );
    await becomes(appId, { status: 'pending', credential: { status: 'missing' } });
    expect(await t.sandbox.world.pushTicket()).toMatchObject([{ accepted: true }]);
  });

  it('is updated, with what was granted and withdrawn', async () => {
    const { appId } = account();
    await t.sandbox.world.authorize(appId, { funcIds: [17, 18] });
    await becomes(appId, { status: 'authorized' });
    await t.sandbox.world.updateAuthorization(appId, [18, 30], { createTime: now() + 1 });
    await becomes(appId, { permissions: [{ id: 18 }, { id: 30 }], credential: { status: 'valid' } });
    expect(await announced(appId)).toMatchObject([
      { type: 'authorizer.authorized' },
      {
        type: 'authorizer.updated',
        data: {
          changes: { fields: ['permissions'], permissionsGranted: [{ id: 30 }], permissionsWithdrawn: [{ id: 17 }] },
        },
      },
    ]);
  });

  it('ends with a revocation: the record stays, the tokens are gone', async () => {
    const { appId } = account();
    await t.sandbox.world.authorize(appId);
    await becomes(appId, { status: 'authorized' });
    await t.sandbox.world.revoke(appId, { createTime: now() + 1 });
    await becomes(appId, {
      status: 'unauthorized',
      credential: { status: 'missing' },
      unauthorizedAt: expect.any(String) as string,
    });
    expect(await t.query('select 1 from authorizer_credential where app_id = $1', [appId])).toEqual([]);
    expect(await announced(appId)).toMatchObject([
      { type: 'authorizer.authorized' },
      { type: 'authorizer.unauthorized', data: { reason: 'revoked' } },
    ]);
  });

  it('comes back after a revocation, announced again', async () => {
    const { appId } = account();
    const start = now() - 100;
    await t.sandbox.world.authorize(appId, { createTime: start });
    await becomes(appId, { status: 'authorized' });
    await t.sandbox.world.revoke(appId, { createTime: start + 1 });
    await becomes(appId, { status: 'unauthorized' });
    await t.sandbox.world.authorize(appId, { createTime: start + 2 });
    await becomes(appId, { status: 'authorized', credential: { status: 'valid' } });
    expect(await typesAnnounced(appId)).toEqual([
      'authorizer.authorized',
      'authorizer.unauthorized',
      'authorizer.authorized',
    ]);
  });

  describe('in whatever order the pushes come', () => {
    it('stays revoked when an older authorization arrives late, and WeChat is not asked about it', async () => {
      const { appId } = account();
      const { code } = await t.sandbox.world.authorize(appId, { push: false });
      await t.sandbox.world.pushEvent('unauthorized', { AuthorizerAppid: appId }, { createTime: 1_700_000_200 });
      await becomes(appId, { status: 'unauthorized' });
      const late = { AuthorizerAppid: appId, AuthorizationCode: code, AuthorizationCodeExpiredTime: 1_700_003_700 };
      await t.sandbox.world.pushEvent('authorized', late, { createTime: 1_700_000_100 });
      await eventually(async () =>
        expect(await pushes(appId)).toMatchObject([
          { infoType: 'authorized', status: 'superseded' },
          { infoType: 'unauthorized', status: 'processed' },
        ]),
      );
      expect(await authorizer(appId)).toMatchObject({ status: 'unauthorized', credential: { status: 'missing' } });
      expect(t.sandbox.world.counters.ofCode(code).calls).toBe(0);
      expect(await typesAnnounced(appId)).toEqual(['authorizer.unauthorized']);
    });

    it('takes the later arrival of two events of the same second', async () => {
      const [first, second] = [account().appId, account().appId];
      const createTime = now();
      await t.sandbox.world.authorize(first, { createTime });
      await t.sandbox.world.revoke(first, { createTime });
      await becomes(first, { status: 'unauthorized', credential: { status: 'missing' } });

      await t.sandbox.world.pushEvent('unauthorized', { AuthorizerAppid: second }, { createTime });
      await t.sandbox.world.authorize(second, { createTime });
      await becomes(second, { status: 'authorized', credential: { status: 'valid' } });
    });

    it('has one effect however often a push is repeated', async () => {
      const { appId } = account();
      const { push, code } = await t.sandbox.world.authorize(appId);
      await Promise.all([
        t.sandbox.world.repeat(push?.id),
        t.sandbox.world.repeatResealed(push?.id),
        t.sandbox.world.repeatResealed(push?.id),
      ]);
      await becomes(appId, { status: 'authorized' });
      await t.sandbox.world.repeatResealed(push?.id);
      await allHandled(appId);
      expect(await pushes(appId)).toHaveLength(1);
      expect(t.sandbox.world.counters.ofCode(code)).toMatchObject({ calls: 1, successes: 1 });
      expect(await typesAnnounced(appId)).toEqual(['authorizer.authorized']);
    });

    it('is revoked at once although its code cannot be exchanged yet', async () => {
      const { appId } = account();
      t.sandbox.world.setFault({ kind: 'errcode', errcode: -1, path: 'api_query_auth' });
      await t.sandbox.world.authorize(appId);
      await becomes(appId, { status: 'pending' });
      await t.sandbox.world.revoke(appId, { createTime: now() + 1 });
      await becomes(appId, { status: 'unauthorized' });
      t.sandbox.world.clearFaults();
      await allHandled(appId);
      expect(await authorizer(appId)).toMatchObject({ status: 'unauthorized', credential: { status: 'missing' } });
    });
  });

  describe('whose code is of no use', () => {
    it('takes the credential from the account information when the code was used up elsewhere', async () => {
      const { appId } = account();
      const { code } = await t.sandbox.world.authorize(appId, { push: false });
      t.sandbox.world.authorizations.exchange(code);
      const push = { AuthorizerAppid: appId, AuthorizationCode: code, AuthorizationCodeExpiredTime: now() + 3600 };
      await t.sandbox.world.pushEvent('authorized', push);
      await becomes(appId, { status: 'authorized', credential: { status: 'valid' }, attention: null });
    });

    it('asks for the merchant when the code expired before it could be used', async () => {
      const { appId } = account();
      t.sandbox.world.setFault({ kind: 'errcode', errcode: 61010, path: 'api_query_auth' });
      await t.sandbox.world.authorize(appId);
      await becomes(appId, { attention: 'reauthorization_required', credential: { status: 'missing' } });
      expect(await announced(appId)).toEqual([
        { type: 'authorizer.attention_required', data: { attention: 'reauthorization_required' } },
      ]);
    });

    it('is not exchanged twice when the first answer was lost', async () => {
      const { appId } = account();
      t.sandbox.world.setFault({ kind: 'reset-after', path: 'api_query_auth', times: 1 });
      const { code } = await t.sandbox.world.authorize(appId);
      await becomes(appId, { status: 'authorized', credential: { status: 'valid' } });
      expect(t.sandbox.world.counters.ofCode(code)).toMatchObject({ calls: 1, successes: 1 });
    });

    it('is sent again when the first sending did not reach WeChat', async () => {
      const { appId } = account();
      t.sandbox.world.setFault({ kind: 'reset-before', path: 'api_query_auth', times: 1 });
      const { code } = await t.sandbox.world.authorize(appId);
      await becomes(appId, { status: 'authorized', credential: { status: 'valid' } });
      expect(t.sandbox.world.counters.ofCode(code).successes).toBe(1);
    });
  });

  it('that WeChat refuses for good calls for the merchant, and blocks nothing', async () => {
    const { appId } = account();
    t.sandbox.world.setFault({ kind: 'errcode', errcode: 61003, path: 'api_query_auth' });
    await t.sandbox.world.authorize(appId);
    await becomes(appId, { attention: 'reauthorization_required' });
    await allHandled(appId);
  });

  it('of an account that is frozen calls for attention, and is not retried', async () => {
    const { appId } = account();
    t.sandbox.world.setFault({ kind: 'errcode', errcode: 50002, path: 'api_query_auth' });
    await t.sandbox.world.authorize(appId);
    await becomes(appId, { attention: 'account_frozen' });
    await allHandled(appId);
  });

  it('whose profile cannot be read is usable, and heals by itself', async () => {
    const { appId, nickName } = account();
    const fault = t.sandbox.world.setFault({ kind: 'errcode', errcode: 45009, path: 'api_get_authorizer_info' });
    await t.sandbox.world.authorize(appId, { funcIds: [18] });
    await becomes(appId, {
      status: 'authorized',
      attention: 'profile_unavailable',
      permissions: [{ id: 18 }],
      credential: { status: 'valid' },
    });
    t.sandbox.world.faults.clear(fault);
    await becomes(appId, { attention: null, nickName });
  });

  it('comes with a fast registration too', async () => {
    await t.sandbox.world.fastRegister({ nickName: '快速注册' });
    const { items } = (await t.get<{ items: Authorizer[] }>('/admin/wechat/authorizers')).body;
    const appId = t.sandbox.world.pushes.log.records()[0]?.xml.match(/<appid><!\[CDATA\[(\w+)/)?.[1] ?? items[0]?.appId;
    await becomes(appId ?? '', { status: 'authorized', credential: { status: 'valid' }, nickName: '快速注册' });
  });

  it('does not come with a fast registration that failed', async () => {
    const before = await t.query('select count(*) from authorizer');
    await t.sandbox.world.pushEvent('notify_third_fasteregister', { status: -1, msg: 'authorize third party failed' });
    await eventually(async () =>
      expect((await t.get('/admin/wechat/events?infoType=notify_third_fasteregister')).body).toMatchObject({
        items: [{ status: 'processed' }, {}],
      }),
    );
    expect(await t.query('select count(*) from authorizer')).toEqual(before);
  });

  describe('and the ticket', () => {
    const ticketTime = async () =>
      (await t.get<{ ticket: { createTime: string } }>('/admin/wechat/platform')).body.ticket.createTime;

    it('keeps the newest by CreateTime, whatever comes when', async () => {
      const newest = now() + 50;
      await t.sandbox.world.pushTicket({ createTime: newest });
      await t.sandbox.world.pushTicket({ createTime: newest - 30 });
      await t.sandbox.world.pushTicket({ createTime: newest - 10 });
      await eventually(async () =>
        expect(
          await t.query("select 1 from event where type = 'wechat.component_verify_ticket' and status = 'received'"),
        ).toEqual([]),
      );
      expect(Date.parse(await ticketTime()) / 1000).toBe(newest);
    });
  });
});
