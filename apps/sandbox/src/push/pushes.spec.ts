import { eventually } from '../../test/eventually.js';
import { elementsOf, type Receiver, startReceiver } from '../../test/receiver.js';
import { createSandbox, type Sandbox } from '../create-sandbox.js';
import { type Account } from '../state/account.js';
import { type PushFields } from './push-xml.js';

describe('pushes', () => {
  let receiver: Receiver;
  let sandbox: Sandbox;
  let account: Account;

  beforeEach(async () => {
    receiver = await startReceiver();
    sandbox = await createSandbox({ ticketEverySeconds: 0, pushUrl: receiver.url, pushTimeoutMs: 200 });
    account = sandbox.world.addAccount({ kind: 'mini_program' });
  });
  afterEach(async () => {
    await sandbox.close();
    await receiver.close();
  });

  const received = (index = -1): Record<string, string> => elementsOf(receiver.pushes.at(index));

  it('carry a ticket that is good for a component access token', async () => {
    const [record] = await sandbox.world.pushTicket();
    expect(record).toMatchObject({ state: 'answered', status: 200, answer: 'success', accepted: true });
    const { ComponentVerifyTicket, ...rest } = received();
    expect(rest).toEqual({
      AppId: sandbox.world.credentials.componentAppId,
      CreateTime: expect.stringMatching(/^\d{10}$/) as string,
      InfoType: 'component_verify_ticket',
    });
    expect(() => sandbox.world.platform.checkTicket(ComponentVerifyTicket)).not.toThrow();
  });

  it('are authentic, with the parameters WeChat sends, appended to those the URL has', async () => {
    sandbox.world.pushes.url = `${receiver.url}?tenant=a&c=b`;
    await sandbox.world.pushTicket();
    const push = receiver.pushes[0];
    expect(push?.isAuthentic).toBe(true);
    expect([...(push?.url.searchParams.keys() ?? [])]).toEqual([
      ...['tenant', 'c', 'signature', 'timestamp', 'nonce', 'encrypt_type', 'msg_signature'],
    ]);
    expect(push?.body).toMatch(/^<xml>\s*<AppId><!\[CDATA\[wx\w{16}\]\]><\/AppId>\s*<Encrypt><!\[CDATA\[/);
  });

  it('come in bursts: one ticket in all of them, or another in each, or the last once more', async () => {
    const tickets = (): Set<string | undefined> =>
      new Set(receiver.pushes.map((push) => elementsOf(push).ComponentVerifyTicket));
    await sandbox.world.pushTicket({ times: 4 });
    await sandbox.world.pushTicket({ same: true });
    expect(receiver.pushes).toHaveLength(5);
    expect(tickets().size).toBe(1);
    await sandbox.world.pushTicket({ times: 3, distinct: true });
    expect(tickets().size).toBe(4);
  });

  it('tell an authorization with a code, the second it expires, and the pre-auth code where there is one', async () => {
    const { code, change } = await sandbox.world.authorize(account.appId, { preAuthCode: 'preauthcode@@@x' });
    const { CreateTime, ...rest } = received();
    expect(change).toBe('authorized');
    expect(rest).toEqual({
      AppId: sandbox.world.credentials.componentAppId,
      InfoType: 'authorized',
      AuthorizerAppid: account.appId,
      AuthorizationCode: code,
      AuthorizationCodeExpiredTime: String(Number(CreateTime) + 3600),
      PreAuthCode: 'preauthcode@@@x',
    });
    await sandbox.world.updateAuthorization(account.appId, [17]);
    expect(received()).not.toHaveProperty('PreAuthCode');
  });

  it('tell an update when the sets changed, and nothing when they did not', async () => {
    await sandbox.world.authorize(account.appId, { funcIds: [17, 18] });
    const refreshToken = account.grant?.refreshToken;
    const same = await sandbox.world.updateAuthorization(account.appId, [18, 17]);
    expect(same).toMatchObject({ change: 'unchanged', push: null, code: expect.any(String) as string });
    expect(account.grant?.refreshToken).toBe(refreshToken);
    expect(receiver.pushes).toHaveLength(1);
    const other = await sandbox.world.updateAuthorization(account.appId, [17]);
    expect(other).toMatchObject({ change: 'updated', push: { accepted: true } });
    expect(received()).toMatchObject({ InfoType: 'updateauthorized', AuthorizationCode: other.code });
    expect(account.grant?.refreshToken).not.toBe(refreshToken);
  });

  it('tell a revocation without a code, and an authorization after it as a first one', async () => {
    await sandbox.world.authorize(account.appId);
    await sandbox.world.revoke(account.appId);
    expect(Object.keys(received())).toEqual(['AppId', 'CreateTime', 'InfoType', 'AuthorizerAppid']);
    expect(received()).toMatchObject({ InfoType: 'unauthorized', AuthorizerAppid: account.appId });
    expect(await sandbox.world.authorize(account.appId)).toMatchObject({ change: 'authorized' });
    await expect(sandbox.world.updateAuthorization('wx0000000000000000', [])).rejects.toThrow('no account');
  });

  it('can be lost: everything happened on WeChat’s side and nothing arrives', async () => {
    expect(await sandbox.world.authorize(account.appId, { push: false })).toMatchObject({ push: null });
    expect(await sandbox.world.revoke(account.appId, { push: false })).toBeNull();
    expect(receiver.pushes).toHaveLength(0);
    await expect(sandbox.world.revoke(account.appId)).rejects.toThrow('has not authorized');
  });

  it('tell a registered mini program with a code that can be exchanged', async () => {
    const record = await sandbox.world.fastRegister({ nickName: '新店' });
    const { appid, auth_code, status, name } = received();
    expect(record).toMatchObject({ infoType: 'notify_third_fasteregister', appId: appid });
    expect({ status, name }).toEqual({ status: '0', name: '示例商贸有限公司' });
    expect(sandbox.world.authorizations.exchange(auth_code)).toMatchObject({ appId: appid, nickName: '新店' });
  });

  it('carry any elements, repeated ones and awkward texts too', async () => {
    const list: PushFields[] = [{ appid: 'wx1', reason: 'a ]]> b <c>' }, { appid: 'wx2' }];
    await sandbox.world.pushEvent('order_path_audit_result_notify', { list }, { createTime: 1701157985 });
    const xml = receiver.pushes[0]?.xml;
    expect(xml).toContain('<CreateTime>1701157985</CreateTime>');
    expect(xml?.match(/<list>/g)).toHaveLength(2);
    expect(xml).toContain('<![CDATA[a ]]]]><![CDATA[> b <c>]]>');
    await sandbox.world.pushXml('not even XML');
    expect(receiver.pushes.at(-1)?.xml).toBe('not even XML');
  });

  it('are repeated to the byte, or newly sealed', async () => {
    const [first] = await sandbox.world.pushTicket();
    await sandbox.world.revoke((await authorized()).appId);
    const repeated = await sandbox.world.repeat(first?.id);
    const resealed = await sandbox.world.repeatResealed(first?.id);
    const [original, , , same, fresh] = receiver.pushes;
    expect(repeated.repeatOf).toBe(first?.id);
    expect([same?.url.href, same?.body]).toEqual([original?.url.href, original?.body]);
    expect(resealed.repeatOf).toBe(first?.id);
    expect(fresh?.xml).toBe(original?.xml);
    expect(fresh?.url.searchParams.get('nonce')).not.toBe(original?.url.searchParams.get('nonce'));
  });

  it('cannot be repeated before there was one', async () => {
    await expect(sandbox.world.repeat()).rejects.toThrow('Nothing was pushed yet');
    await expect(sandbox.world.repeatResealed(99)).rejects.toThrow('No push 99');
  });

  it('are held back and released in the other order', async () => {
    sandbox.world.pushes.hold();
    const { push } = await sandbox.world.authorize(account.appId);
    await sandbox.world.revoke(account.appId);
    expect(push?.state).toBe('held');
    expect(receiver.pushes).toHaveLength(0);
    await sandbox.world.pushes.release('reversed');
    expect(receiver.pushes.map((push) => elementsOf(push).InfoType)).toEqual(['unauthorized', 'authorized']);
    expect(push?.accepted).toBe(true);
    await sandbox.world.pushTicket();
    expect(receiver.pushes).toHaveLength(3);
  });

  it('are delayed, one by one or all of them', async () => {
    const slow = sandbox.world.pushTicket({ delayMs: 80 });
    await sandbox.world.authorize(account.appId);
    await slow;
    expect(receiver.pushes.map((push) => elementsOf(push).InfoType)).toEqual(['authorized', 'component_verify_ticket']);
    sandbox.world.pushes.delayMs = 40;
    const started = performance.now();
    await sandbox.world.pushTicket();
    expect(performance.now() - started).toBeGreaterThanOrEqual(35);
  });

  it('are stamped and sealed as told', async () => {
    await sandbox.world.pushTicket({ timestamp: 1409659589, nonce: '42', createTime: 1409659580 });
    expect(receiver.pushes[0]?.url.searchParams.get('timestamp')).toBe('1409659589');
    expect(receiver.pushes[0]?.url.searchParams.get('nonce')).toBe('42');
    expect(received()).toMatchObject({ CreateTime: '1409659580' });
    await sandbox.world.pushTicket({ sealWith: { token: 'another' } });
    expect(receiver.pushes[1]?.isAuthentic).toBe(false);
  });

  it.each([
    ['a status that is not 200', 503, 'success'],
    ['another text', 200, 'SUCCESS'],
    ['more than the seven bytes', 200, 'success\n'],
    ['nothing', 200, ''],
  ])('are not accepted with %s', async (_what, status, body) => {
    receiver.answer = (response) => response.writeHead(status).end(body);
    const [record] = await sandbox.world.pushTicket();
    expect(record).toMatchObject({ state: 'answered', status, answer: body, accepted: false });
  });

  it('fail when nobody answers in time, nobody listens or nobody is known', async () => {
    receiver.answer = () => undefined;
    expect(await sandbox.world.pushTicket()).toMatchObject([{ state: 'failed', error: 'No answer within 200 ms' }]);
    await receiver.close();
    expect(await sandbox.world.pushTicket()).toMatchObject([{ state: 'failed', status: null, accepted: false }]);
    sandbox.world.pushes.url = null;
    expect(await sandbox.world.pushTicket()).toMatchObject([{ state: 'failed', error: 'No receive URL is set' }]);
  });

  it('are logged newest first, the last two hundred of them', async () => {
    await sandbox.world.pushTicket({ times: 100 });
    await sandbox.world.pushTicket({ times: 100 });
    await sandbox.world.revoke((await authorized()).appId);
    const records = sandbox.world.pushes.log.records();
    expect(records).toHaveLength(200);
    expect(records[0]).toMatchObject({ id: 202, infoType: 'unauthorized', appId: account.appId });
    expect(records.at(-1)?.id).toBe(3);
  });

  const authorized = async (): Promise<Account> => {
    await sandbox.world.authorize(account.appId);
    return account;
  };
});

describe('the ticket cadence', () => {
  it('pushes at once, again until accepted, then only every so often', async () => {
    const receiver = await startReceiver();
    let answered = 0;
    receiver.answer = (response) => response.writeHead(++answered === 1 ? 503 : 200).end('success');
    const sandbox = await createSandbox({ pushUrl: receiver.url });
    try {
      await eventually('an accepted ticket', () => sandbox.world.pushes.log.records()[0]?.accepted);
      expect(sandbox.world.pushes.log.records()).toMatchObject([{ status: 200 }, { status: 503 }]);
    } finally {
      await sandbox.close();
      await receiver.close();
    }
  });
});
