import { eventually } from './support/eventually.js';
import { TestPlatform } from './support/platform.js';

interface Platform {
  health: string;
  reasons: { code: string; message: string }[];
}

describe('the health of the platform', () => {
  let t: TestPlatform;
  beforeAll(async () => {
    t = await TestPlatform.start({ ticket: false });
  });
  afterAll(async () => {
    await t.stop();
  });
  const becomes = (expected: object) =>
    eventually(async () => expect((await t.get<Platform>('/admin/wechat/platform')).body).toMatchObject(expected));

  const anAccount = async () =>
    (await t.get<{ items: { appId: string }[] }>('/admin/wechat/authorizers')).body.items[0]!.appId;
  const expectOutageShown = async (appId: string) => {
    t.sandbox.world.setFault({ kind: 'http', status: 502 });
    expect((await t.post(`/admin/wechat/authorizers/${appId}/sync`)).status).toBe(503);
    await becomes({ health: 'degraded', reasons: [{ code: 'wechat_unavailable' }] });
    t.sandbox.world.clearFaults();
    expect((await t.post(`/admin/wechat/authorizers/${appId}/sync`)).status).toBe(200);
    await becomes({ health: 'ok', reasons: [] });
  };

  it('is down before the first ticket, and says what to check', async () => {
    await becomes({
      health: 'down',
      reasons: [{ code: 'no_ticket', message: expect.stringMatching(/URL/) as string }],
    });
  });

  it('is good once tickets come', async () => {
    await t.sandbox.world.pushTicket();
    await becomes({ health: 'ok', reasons: [] });
  });

  it('is degraded while WeChat does not answer, and good again with the first answer', async () => {
    const { appId } = t.sandbox.world.addAccount({ kind: 'mini_program' });
    await t.sandbox.world.authorize(appId);
    await eventually(async () =>
      expect((await t.get(`/admin/wechat/authorizers/${appId}`)).body).toMatchObject({ status: 'authorized' }),
    );
    await expectOutageShown(appId);
  });

  it('is degraded also where WeChat was away before the process started', async () => {
    const appId = await anAccount();
    await t.stopApp();
    await t.startApp();
    await expectOutageShown(appId);
  });

  it('is good again a minute after a process went away that could no longer say so', async () => {
    const appId = await anAccount();
    await fail(61004, '1 second');
    await becomes({ health: 'degraded' });
    const now = performance.now.bind(performance);
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
    expect((await t.post(`/admin/wechat/authorizers/${appId}/sync`)).status).toBe(200);
    clock.mockRestore();
    await becomes({ health: 'ok', reasons: [] });
  });

  it.each([
    { age: '31 minutes', health: 'degraded', code: 'ticket_late' },
    { age: '12 hours 1 minute', health: 'down', code: 'ticket_expired' },
  ])('is $health when the last ticket is $age old', async ({ age, health, code }) => {
    await t.query('update platform_credential set ticket_create_time = now() - $1::interval', [age]);
    await becomes({ health, reasons: [{ code }] });
    await t.sandbox.world.pushTicket();
    await becomes({ health: 'ok', reasons: [] });
  });

  const fail = (errcode: number | null, ago: string) =>
    t.query(
      `update platform_credential set last_failure_at = now() - $2::interval,
         last_failure = json_build_object('api', 'api_query_auth', 'errcode', $1::int, 'advice', 'Mend it', 'requestIp', '192.0.2.7')`,
      [errcode, ago],
    );

  it('does not dwell on an outage that nobody has noticed for a quarter of an hour, but on a refusal it does', async () => {
    await fail(null, '14 minutes');
    await becomes({ health: 'degraded', reasons: [{ code: 'wechat_unavailable' }] });
    await fail(null, '16 minutes');
    await becomes({ health: 'ok', reasons: [] });
    await fail(61004, '16 minutes');
    const message = 'Mend it. WeChat saw the address 192.0.2.7.';
    await becomes({ health: 'degraded', reasons: [{ code: 'wechat_61004', message }] });
  });

  it('is down by what only degrades it, once no token is left', async () => {
    await fail(61004, '1 minute');
    await t.query(`update platform_credential set access_token_expires_at = now() - interval '1 minute'`);
    await becomes({ health: 'down', reasons: [{ code: 'wechat_61004' }] });
    await t.query(
      `update platform_credential set last_failure = null, access_token_expires_at = now() + interval '1 hour'`,
    );
    await becomes({ health: 'ok', reasons: [] });
  });

  it('is degraded by deliveries that were given up', async () => {
    await t.query(
      `with stored as (
         insert into event (id, component_app_id, type, authorizer_app_id, data, open_deliveries)
         values (gen_random_uuid(), $1, 'wechat.unauthorized', 'wx1', '{}', 1) returning position
       )
       insert into delivery (position, subscriber, component_app_id, authorizer_app_id, state, finished_at)
       select position, 'authorizer.revocation', $1, 'wx1', 'dead', now() from stored`,
      [t.env.platform.appId],
    );
    await becomes({
      health: 'degraded',
      reasons: [{ code: 'dead_deliveries', message: expect.stringMatching(/^A delivery has /) as string }],
    });
  });
});
