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
