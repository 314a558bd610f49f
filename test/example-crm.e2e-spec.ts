import { EventOutbox } from '@app/events';
import { eventually } from './support/eventually.js';
import { TestPlatform } from './support/platform.js';

describe('the example of a neighbour', () => {
  let t: TestPlatform;
  beforeAll(async () => {
    t = await TestPlatform.start();
  });
  afterAll(async () => {
    await t.stop();
  });

  const tenants = (appId: string) => t.query('select authorizations from crm_tenant where app_id = $1', [appId]);

  it('provisions a tenant once for an authorization, however often the push comes', async () => {
    const { appId } = t.sandbox.world.addAccount({ kind: 'mini_program' });
    await t.sandbox.world.authorize(appId);
    await eventually(async () => expect(await tenants(appId)).toEqual([{ authorizations: 1 }]));
    const deliveries = await t.query(
      `select state, attempts from delivery where subscriber = 'crm.provision' and authorizer_app_id = $1`,
      [appId],
    );
    expect(deliveries).toEqual([{ state: 'done', attempts: 1 }]);
  });

  it('keeps the tenant of the newest authorization when an older one is told again', async () => {
    const outbox = t.app.get(EventOutbox, { strict: false });
    const authorize = async (tenantId: string) => {
      const about = { componentAppId: t.env.platform.appId, authorizerAppId: 'wxcrm' };
      const data = { accountType: 'mini_program' as const, permissions: [], tenantId, state: null };
      await outbox.transaction((tx) => outbox.publish(tx, { type: 'authorizer.authorized', ...about, data }));
      await t.everythingDelivered();
    };
    await authorize('t-old');
    await authorize('t-new');
    const [first] = await t.query<{ id: string }>(
      `select id from event where authorizer_app_id = 'wxcrm' order by position limit 1`,
    );
    expect((await t.post(`/admin/wechat/events/${first!.id}/replay`)).status).toBe(202);
    await t.everythingDelivered();
    expect(await t.query(`select tenant_id, authorizations from crm_tenant where app_id = 'wxcrm'`)).toEqual([
      { tenant_id: 't-new', authorizations: 2 },
    ]);
  });

  it('leaves nothing behind when the transaction fails at its very end, and is there once in the end', async () => {
    const { appId } = t.sandbox.world.addAccount({ kind: 'mini_program' });
    await t.query(`create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$`);
    await t.query(`create trigger refuse before update on delivery for each row
      when (new.subscriber = 'crm.provision' and new.state = 'done') execute function refuse()`);
    await t.sandbox.world.authorize(appId);
    const refused = () =>
      t.query(
        `select from delivery where subscriber = 'crm.provision' and authorizer_app_id = $1 and last_error like '%refused%'`,
        [appId],
      );
    await eventually(async () => expect(await refused()).toHaveLength(1));
    expect(await tenants(appId)).toEqual([]);
    await t.query('drop trigger refuse on delivery');
    await eventually(async () => expect(await tenants(appId)).toEqual([{ authorizations: 1 }]));
  });
});
