import { TestPlatform } from '../../test/platform.js';
import { createSandbox, type Sandbox } from '../create-sandbox.js';

describe('the option APIs', () => {
  let sandbox: Sandbox;
  let platform: TestPlatform;
  let authorizer_appid: string;

  beforeEach(async () => {
    sandbox = await createSandbox({ ticketEverySeconds: 0 });
    platform = new TestPlatform(sandbox);
    const [account] = sandbox.world.addAuthorizers(1, { kind: 'official_account' });
    authorizer_appid = account?.appId ?? '';
  });
  afterEach(() => sandbox.close());

  const voice = { option_name: 'voice_recognize' };

  it('keep an option, in the old generation by the account named in the body', async () => {
    expect(await platform.call('api_get_authorizer_option', { authorizer_appid, ...voice })).toEqual({
      authorizer_appid,
      option_name: 'voice_recognize',
      option_value: '0',
    });
    const set = { authorizer_appid, ...voice, option_value: '1' };
    expect(await platform.call('api_set_authorizer_option', set)).toEqual({ errcode: 0, errmsg: 'ok' });
    expect(await platform.call('api_get_authorizer_option', { authorizer_appid, ...voice })).toMatchObject({
      option_value: '1',
    });
  });

  it('know the account by its token in the new generation', async () => {
    platform.useToken(sandbox.world.authorizations.issueAccessToken(sandbox.world.accounts.get(authorizer_appid)));
    await platform.call('set_authorizer_option', { ...voice, option_value: '1' }, 'access_token');
    expect(await platform.call('get_authorizer_option', voice, 'access_token')).toEqual({
      errcode: 0,
      errmsg: 'ok',
      option_name: 'voice_recognize',
      option_value: '1',
    });
  });

  it('refuse unknown names and values, and mini programs', async () => {
    const [program] = sandbox.world.addAuthorizers(1, { kind: 'mini_program' });
    const set = (changes: object): Promise<object> =>
      platform.call('set_authorizer_option', { authorizer_appid, ...voice, option_value: '1', ...changes });
    expect(await set({ option_name: 'constructor' })).toMatchObject({ errcode: 61012 });
    expect(await set({ option_value: '2' })).toMatchObject({ errcode: 61013 });
    expect(await set({ authorizer_appid: program?.appId })).toMatchObject({ errcode: 48001 });
    expect(await set({ authorizer_appid: 'wx0000000000000000' })).toMatchObject({ errcode: 61003 });
  });
});
