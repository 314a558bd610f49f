import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { SEALED_COLUMNS } from '../apps/api/src/rotate-encryption.js';
import { SANDBOX_CREDENTIALS } from '../apps/sandbox/src/options.js';
import { eventually } from './support/eventually.js';
import { KEYS, TestPlatform } from './support/platform.js';
import { eventXml, seal, type Sealing } from './support/sealed-push.js';

const ROOT = path.resolve(__dirname, '..');
const OLD = `old:${randomBytes(32).toString('base64')}`;
const NEW = `new:${randomBytes(32).toString('base64')}`;

/** Runs `npm run rotate-encryption` as a process of its own. */
function rotation(databaseUrl: string, keys: string) {
  const child = spawn(
    process.execPath,
    ['--require', path.join(ROOT, 'test/jest/typescript.cjs'), 'apps/api/src/rotate-encryption.cli.ts'],
    { cwd: ROOT, env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, ENCRYPTION_KEYS: keys } },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'exit').then(([code]) => ({ code: code as number | null, output }));
  return { child, ended };
}

describe('rotating the encryption keys', () => {
  let t: TestPlatform;
  beforeAll(async () => {
    t = await TestPlatform.start({
      variables: { ENCRYPTION_KEYS: `${OLD},${NEW}`, RECONCILE_CALLS_PER_MINUTE: '60000' },
    });
  });
  afterAll(async () => {
    await t.stop();
  });

  const token = (appId: string) =>
    t.post<{ accessToken: string }>(`/internal/wechat/authorizers/${appId}/access-token`, undefined, KEYS.service);
  const sealedUnder = async (keyId: string) => {
    const counts = await Promise.all(
      SEALED_COLUMNS.map(async ({ table, column }) => {
        const [row] = await t.query<{ count: number }>(
          `select count(*)::int as count from ${table} where starts_with(${column}, $1)`,
          [`v1.${keyId}.`],
        );
        return [`${table}.${column}`, row!.count] as const;
      }),
    );
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  };

  it('knows every column that holds a sealed value', async () => {
    const { world } = t.sandbox;
    const { appId } = world.addAccount({ kind: 'mini_program' });
    await world.authorize(appId);
    await eventually(async () => expect((await token(appId)).status).toBe(200));
    const link = await t.post<{ url: string }>('/admin/wechat/authorization-links', { tenantId: 't-1' });
    expect(link.status).toBe(201);
    // Codes stay in the database as long as WeChat does not take them.
    world.setFault({ kind: 'http', status: 502, path: 'api_query_auth' });
    await world.authorize(world.addAccount({ kind: 'mini_program' }).appId);
    void t.get('/social/with/wechat/authorized?auth_code=queryauthcode@@@rotation&expires_in=3600', null);
    const columns = await t.query<{ table: string; column: string }>(
      `select table_name as "table", column_name as "column" from information_schema.columns
       where table_schema = 'public' and data_type in ('text', 'jsonb')`,
    );
    await eventually(async () => {
      const sealed: string[] = [];
      for (const { table, column } of columns) {
        const hits = await t.query(
          `select 1 from "${table}" where "${column}"::text ~ '^"?v1[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]{38,}' limit 1`,
        );
        if (hits.length > 0) sealed.push(`${table}.${column}`);
      }
      expect(sealed.sort()).toEqual(SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`).sort());
    });
    world.clearFaults();
  });

  it('goes on where it was killed, while the API runs, and then the old key is not needed', async () => {
    const { world } = t.sandbox;
    const [some] = world.addAuthorizers(400);
    await t.post('/admin/wechat/authorizers/sync');
    await eventually(async () => {
      const [row] = await t.query<{ count: number }>('select count(*)::int as count from authorizer_credential');
      expect(row!.count).toBeGreaterThanOrEqual(400);
    }, 40_000);
    await t.stopApp();
    t.useVariables({ ENCRYPTION_KEYS: `${NEW},${OLD}` });
    await t.startApp();
    expect((await token(some!.appId)).status).toBe(200);

    const killed = rotation(t.database.url, `${NEW},${OLD}`);
    await eventually(async () =>
      expect((await sealedUnder('new'))['authorizer_credential.refresh_token'] ?? 0).toBeGreaterThan(20),
    );
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect(Object.keys(await sealedUnder('old'))).not.toEqual([]);

    const pushing = world.pushTicket({ times: 5, distinct: true });
    const again = rotation(t.database.url, `${NEW},${OLD}`);
    const asked = await Promise.all(Array.from({ length: 40 }, () => token(some!.appId)));
    expect(asked.filter(({ status }) => status !== 200)).toEqual([]);
    const { code, output } = await again.ended;
    await pushing;
    expect(output).toContain('0 are not.');
    expect(output).toContain('ENCRYPTION_KEYS may be cut to new');
    expect(code).toBe(0);
    expect(await sealedUnder('old')).toEqual({});

    await t.stopApp();
    t.useVariables({ ENCRYPTION_KEYS: NEW });
    await t.startApp();
    await t.query('update authorizer_credential set access_token = null');
    expect((await token(some!.appId)).status).toBe(200);
  }, 120_000);

  it('names what no key opens, leaves it as it is, and ends with an error', async () => {
    await t.query(
      `update authorizer_credential set refresh_token = 'v1.gone.' || repeat('A', 60)
       where app_id = (select min(app_id) from authorizer_credential)`,
    );
    const { code, output } = await rotation(t.database.url, NEW).ended;
    expect(code).toBe(1);
    expect(output).toContain('1 × authorizer_credential.refresh_token');
    expect(output).toContain('gone');
    expect(await sealedUnder('gone')).toEqual({ 'authorizer_credential.refresh_token': 1 });
  });

  it('says in one line what is missing', async () => {
    const withoutUrl = await rotation('', NEW).ended;
    expect(withoutUrl.code).toBe(1);
    expect(withoutUrl.output).toContain('DATABASE_URL: is required');
    const badKey = await rotation(t.database.url, `short:${Buffer.from('too short').toString('base64')}`).ended;
    expect(badKey.code).toBe(1);
    expect(badKey.output).toContain('ENCRYPTION_KEYS: entry 1');
  });
});

interface Standing {
  configured: boolean;
  lastUsedAt: string | null;
  mayBeRemoved: boolean;
}

const NEXT_TOKEN = 'thetokenfromnowon';
const NEXT_KEY = 'b'.repeat(43);

interface Rotation {
  readonly secret: 'token' | 'encodingAesKey';
  readonly label: string;
  readonly other: string;
  readonly current: Sealing;
  readonly variables: Record<string, string>;
}

describe.each<Rotation>([
  {
    secret: 'token',
    label: 'token',
    other: 'encodingAesKey',
    current: { token: NEXT_TOKEN },
    variables: { WECHAT_TOKEN: NEXT_TOKEN, WECHAT_PREVIOUS_TOKEN: SANDBOX_CREDENTIALS.token },
  },
  {
    secret: 'encodingAesKey',
    label: 'encoding_aes_key',
    other: 'token',
    current: { encodingAesKey: NEXT_KEY },
    variables: {
      WECHAT_ENCODING_AES_KEY: NEXT_KEY,
      WECHAT_PREVIOUS_ENCODING_AES_KEY: SANDBOX_CREDENTIALS.encodingAesKey,
    },
  },
])('rotating the $secret of the push URL', ({ secret, label, other, current, variables }) => {
  let t: TestPlatform;
  beforeAll(async () => {
    t = await TestPlatform.start({ variables, ticket: false });
  });
  afterAll(async () => {
    await t.stop();
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const standing = async () => {
    const { body } = await t.get<{ previousSecrets: Record<string, Standing> }>('/admin/wechat/platform');
    return body.previousSecrets;
  };
  const push = async (sealing: Sealing) => {
    const { query, body } = seal(eventXml(`rotated_${randomBytes(4).toString('hex')}`), sealing);
    const url = `${t.url}/social/with/wechat/receiveEvent?${new URLSearchParams(query).toString()}`;
    return (await fetch(url, { method: 'POST', body })).status;
  };
  const uses = async (generation: 'current' | 'previous') => {
    const { text } = await t.get('/metrics', null);
    const line = `wechat_push_secret_uses_total{secret="${label}",generation="${generation}"} `;
    return Number(text.split(line)[1]?.split('\n')[0] ?? 0);
  };

  it('does not let the previous one go before it had a day to be used', async () => {
    const unused = { configured: true, lastUsedAt: null, mayBeRemoved: false };
    expect(await standing()).toEqual({
      [secret]: unused,
      [other]: { configured: false, lastUsedAt: null, mayBeRemoved: false },
    });
    jest.spyOn(process, 'uptime').mockReturnValue(25 * 3600);
    expect(await standing()).toMatchObject({
      [secret]: { ...unused, mayBeRemoved: true },
      [other]: { mayBeRemoved: false },
    });
  });

  it('accepts pushes under the current and the previous one and no third, and counts which one came', async () => {
    expect(await push(current)).toBe(200);
    expect([await uses('current'), await uses('previous')]).toEqual([1, 0]);
    expect((await standing())[secret]!.lastUsedAt).toBeNull();
    expect(await push({})).toBe(200);
    expect([await uses('current'), await uses('previous')]).toEqual([1, 1]);
    expect(await push({ [secret]: secret === 'token' ? 'athirdtoken' : 'A'.repeat(43) })).toBeGreaterThanOrEqual(400);
  });

  it('tells when the previous one was last of use, and a day later that it may go', async () => {
    jest.spyOn(process, 'uptime').mockReturnValue(25 * 3600);
    await eventually(async () => expect((await standing())[secret]!.lastUsedAt).not.toBeNull());
    expect((await standing())[secret]!.mayBeRemoved).toBe(false);
    await t.query(
      `update platform_credential set previous_token_used_at = previous_token_used_at - interval '25 hours',
         previous_aes_key_used_at = previous_aes_key_used_at - interval '25 hours'`,
    );
    expect((await standing())[secret]!.mayBeRemoved).toBe(true);
    // A use of long ago may have been that of another rotation.
    jest.spyOn(process, 'uptime').mockReturnValue(60);
    expect((await standing())[secret]!.mayBeRemoved).toBe(false);
  });
});
