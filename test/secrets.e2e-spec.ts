import { SANDBOX_CREDENTIALS } from '../apps/sandbox/src/options.js';
import { eventually } from './support/eventually.js';
import { KEYS, TestPlatform } from './support/platform.js';

/** What every ticket, code and token of WeChat looks like, so that also those are found that the test has not noted. */
const SECRET_SHAPES = /(?:ticket|queryauthcode|preauthcode|refreshtoken)@@@[\w-]+/g;

describe('secrets', () => {
  let t: TestPlatform;
  const secrets = new Set<string>();
  beforeAll(async () => {
    t = await TestPlatform.start();
    await liveThroughEverything();
  }, 60_000);
  afterAll(async () => {
    await t.stop();
  });

  const status = async (appId: string) =>
    (await t.get<{ status: string; attention: string | null }>(`/admin/wechat/authorizers/${appId}`)).body;

  /** Authorizations, updates, revocations, failures, refusals, and a push that stays undone. */
  const liveThroughEverything = async () => {
    const { world } = t.sandbox;
    const [kept, revoked, stuck] = ['kept', 'revoked', 'stuck'].map(
      () => world.addAccount({ kind: 'service_account' }).appId,
    );
    const authorize = async (appId: string) => {
      const preAuthCode = world.platform.issuePreAuthCode();
      secrets.add((await world.authorize(appId, { preAuthCode })).code).add(preAuthCode);
    };
    await authorize(kept!);
    await authorize(revoked!);
    await t.everythingDelivered();
    await world.revoke(revoked!, { createTime: Math.floor(Date.now() / 1000) + 1 });
    world.setFault({ kind: 'errcode', errcode: -1, path: 'api_query_auth' });
    await authorize(stuck!);
    await world.pushEvent('new_type_with_ticket', { ComponentVerifyTicket: 'ticket@@@of-a-new-type' });
    await world.pushTicket({ sealWith: { token: 'another-token' } });
    await eventually(async () => expect(await status(stuck!)).toMatchObject({ status: 'pending' }));
    await eventually(async () => expect(await status(revoked!)).toMatchObject({ status: 'unauthorized' }));
    await eventually(() => expect(t.logs.join('')).toContain('api_query_auth answered -1'));
    for (const record of world.pushes.log.records())
      for (const [secret] of record.xml.matchAll(SECRET_SHAPES)) secrets.add(secret);
    for (const { grant } of world.accounts.authorized()) if (grant) secrets.add(grant.refreshToken);
    const { token, encodingAesKey, componentAppSecret } = SANDBOX_CREDENTIALS;
    for (const secret of [token, encodingAesKey, componentAppSecret, ...Object.values(KEYS)]) secrets.add(secret);
    for (const { key } of t.env.encryptionKeys) secrets.add(key.toString('base64')).add(key.toString('hex'));
    for (const accessToken of await accessTokens()) secrets.add(accessToken);
  };

  /** Tokens in the clear exist nowhere but in memory: open what is stored, with the key that the test knows. */
  const accessTokens = async (): Promise<string[]> => {
    const { Keyring } = await import('@app/keyring');
    const keyring = new Keyring(t.env.encryptionKeys);
    const component = t.env.platform.appId;
    const [platform] = await t.query<{ access_token: string }>('select access_token from platform_credential');
    const credentials = await t.query<{ app_id: string; access_token: string }>(
      'select app_id, access_token from authorizer_credential',
    );
    return [
      keyring.open(platform!.access_token, `platform_credential.access_token:${component}`),
      ...credentials.map(({ app_id, access_token }) =>
        keyring.open(access_token, `authorizer_credential.access_token:${component}:${app_id}`),
      ),
    ];
  };

  const expectNoSecretIn = (text: string) => {
    expect([...secrets].filter((secret) => text.includes(secret))).toEqual([]);
    expect(text.match(SECRET_SHAPES)).toBeNull();
  };

  it('are many, or the other tests prove nothing', () => {
    expect(secrets.size).toBeGreaterThan(12);
    expect(() => expectNoSecretIn(`x${[...secrets][0]}x`)).toThrow();
  });

  it('are nowhere in the database in plain', async () => {
    const tables = await t.query<{ name: string }>(
      "select format('%I.%I', table_schema, table_name) as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    );
    expect(tables.length).toBeGreaterThan(8);
    for (const { name } of tables) {
      const rows = await t.query<{ row: string }>(`select to_jsonb(r)::text as row from ${name} r`);
      expectNoSecretIn(rows.map(({ row }) => row).join('\n'));
    }
  });

  it('are nowhere in the logs, whatever failed', () => {
    expect(t.logs.length).toBeGreaterThan(5);
    expectNoSecretIn(t.logs.join(''));
  });

  it('are masked in every answer', async () => {
    const { body } = await t.get<{ items: { id: string }[] }>('/admin/wechat/events?limit=200');
    const paths = [
      '/admin/wechat/events',
      '/admin/wechat/authorizers',
      '/admin/wechat/platform',
      '/admin/wechat/rejections',
      '/metrics',
    ];
    const answers = await Promise.all(
      [...paths, ...body.items.map(({ id }) => `/admin/wechat/events/${id}`)].map((path) => t.get(path)),
    );
    expectNoSecretIn(answers.map(({ text }) => text).join('\n'));
    expect(answers.some(({ text }) => text.includes('"AuthorizationCode":"***"'))).toBe(true);
  });

  it('are erased from an event once they are used', async () => {
    const kept = await t.query<{ type: string; status: string }>(
      'select type, status from event where secrets is not null',
    );
    expect(kept).toEqual([{ type: 'wechat.authorized', status: 'received' }]);
  });
});
