import { randomBytes } from 'node:crypto';
import { completeEnv, EnvError, localOriginOf, readVariables } from './env.js';

const KEY = `k1:${randomBytes(32).toString('base64')}`;
const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://user:pass@db:5432/wechat',
  WECHAT_COMPONENT_APP_ID: 'wx1234567890abcdef',
  WECHAT_COMPONENT_APP_SECRET: 'component-secret',
  WECHAT_TOKEN: 'the-token',
  WECHAT_ENCODING_AES_KEY: 'a'.repeat(43),
  ENCRYPTION_KEYS: KEY,
};
const problemsOf = (source: Record<string, string | undefined>): readonly string[] => {
  try {
    readVariables(source);
    return [];
  } catch (error) {
    if (error instanceof EnvError) return error.problems;
    throw error;
  }
};

describe('the environment', () => {
  it('of production needs nothing but the seven that cannot be made up', () => {
    const env = completeEnv(readVariables(PRODUCTION), {});
    expect(env).toMatchObject({
      production: true,
      host: '0.0.0.0',
      port: 3000,
      apiKeys: [],
      platform: { apiBaseUrl: 'https://api.weixin.qq.com', pushMaxAge: 86_400, tokens: ['the-token'] },
      eventBrokerUrl: null,
    });
  });

  it('of development needs nothing at all', () => {
    const env = completeEnv(readVariables({}), { databaseUrl: 'postgres://x', encryptionKeys: [] });
    expect(env).toMatchObject({ production: false, host: '127.0.0.1', publicBaseUrl: 'http://127.0.0.1:3000' });
  });

  it('names every variable that production lacks, at once', () => {
    expect(problemsOf({ NODE_ENV: 'production' }).map((problem) => problem.split(':')[0])).toEqual([
      'DATABASE_URL',
      'WECHAT_COMPONENT_APP_ID',
      'WECHAT_COMPONENT_APP_SECRET',
      'WECHAT_TOKEN',
      'WECHAT_ENCODING_AES_KEY',
      'ENCRYPTION_KEYS',
    ]);
  });

  it('takes an empty variable for an absent one', () => {
    expect(completeEnv(readVariables({ ...PRODUCTION, PORT: '', EVENT_BROKER_URL: ' ' }), {})).toMatchObject({
      port: 3000,
      eventBrokerUrl: null,
    });
    expect(problemsOf({ ...PRODUCTION, WECHAT_TOKEN: ' ' })).toEqual(['WECHAT_TOKEN: is required in production']);
  });

  it.each([
    ['PORT', 'eighty'],
    ['PORT', '65536'],
    ['PORT', '3000.5'],
    ['PORT', '-1'],
    ['PORT', '0x1F90'],
    ['PORT', '1e3'],
    ['DATABASE_URL', 'mysql://db'],
    ['DATABASE_URL', 'postgres://:5432'],
    ['DATABASE_URL', 'postgres:///name'],
    ['DATABASE_URL', 'postgres://user:50%@db/name'],
    ['HOST', 'http://127.0.0.1'],
    ['HOST', '127.0.0.1:3000'],
    ['HOST', 'not an address'],
    ['WECHAT_COMPONENT_APP_ID', 'gh_1234'],
    ['WECHAT_ENCODING_AES_KEY', 'too-short'],
    ['WECHAT_PREVIOUS_ENCODING_AES_KEY', 'x'.repeat(44)],
    ['WECHAT_API_BASE_URL', 'ftp://api'],
    ['WECHAT_PUSH_MAX_AGE', '-1'],
    ['WECHAT_PUSH_MAX_AGE', 'a day'],
    ['ADMIN_API_KEYS', 'ops:admin:00'],
    ['ENCRYPTION_KEYS', 'k1:short'],
    ['PUBLIC_BASE_URL', 'example.com'],
    ['PUBLIC_BASE_URL', 'https://example.com/sub'],
    ['PUBLIC_BASE_URL', 'https://example.com?x=1'],
    ['PUBLIC_BASE_URL', 'https://user:pass@example.com'],
    ['ADMIN_ALLOWED_ORIGINS', 'https://example.com,https://example.com/console'],
    ['EVENT_BROKER_URL', 'kafka://broker'],
    ['EVENT_BROKER_URL', 'nats://user:50%@broker'],
    ['TRUSTED_PROXIES', 'my-proxy'],
    ['NODE_ENV', 'staging'],
    ['LOG_LEVEL', 'loud'],
  ])('refuses %s=%s in one line that names the variable and not the value', (name, value) => {
    const problems = problemsOf({ ...PRODUCTION, [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}: `));
    expect(problems[0]).not.toContain(value);
    expect(problems[0]).not.toContain('\n');
  });

  it('wants two ports where the sandbox runs too', () => {
    expect(problemsOf({ PORT: '3001' })).toEqual([
      'SANDBOX_PORT: is the same as PORT; set one of them to another port',
    ]);
    expect(problemsOf({ PORT: '3001', WECHAT_API_BASE_URL: 'https://api.weixin.qq.com' })).toEqual([]);
    expect(problemsOf({ ...PRODUCTION, PORT: '3001' })).toEqual([]);
  });

  it('takes every key of 43 characters that decodes, and an origin with a slash behind it', () => {
    const { platform, publicBaseUrl } = completeEnv(
      readVariables({
        ...PRODUCTION,
        WECHAT_ENCODING_AES_KEY: '+/'.repeat(21) + 'A',
        PUBLIC_BASE_URL: 'https://Wechat.Example.com/',
      }),
      {},
    );
    expect([platform.encodingAesKeys, publicBaseUrl]).toEqual([['+/'.repeat(21) + 'A'], 'https://wechat.example.com']);
  });

  it('writes the address of an IPv6 host as browsers understand it', () => {
    const { publicBaseUrl } = completeEnv(readVariables({ ...PRODUCTION, HOST: '::1' }), {});
    expect(publicBaseUrl).toBe('http://[::1]:3000');
  });

  it('reports all mistakes together', () => {
    expect(problemsOf({ ...PRODUCTION, PORT: 'x', WECHAT_ENCODING_AES_KEY: 'y', ENCRYPTION_KEYS: 'z' })).toHaveLength(
      3,
    );
  });

  it('keeps the former token and key behind the current ones, each by itself', () => {
    const former = { WECHAT_PREVIOUS_TOKEN: 'former' };
    expect(completeEnv(readVariables({ ...PRODUCTION, ...former }), {}).platform).toMatchObject({
      tokens: ['the-token', 'former'],
      encodingAesKeys: ['a'.repeat(43)],
    });
  });

  it('wants the issuer and the audience of OpenID Connect together', () => {
    expect(problemsOf({ ...PRODUCTION, ADMIN_OIDC_ISSUER: 'https://id.example' })).toHaveLength(1);
  });

  it('never shows the sandbox platform to production', () => {
    expect(JSON.stringify(completeEnv(readVariables(PRODUCTION), {}))).not.toContain('sandbox');
  });
});

describe('a secret', () => {
  it('is read without the blanks and line breaks around it', () => {
    const { platform } = completeEnv(
      readVariables({
        ...PRODUCTION,
        WECHAT_TOKEN: ' the-token\n',
        WECHAT_COMPONENT_APP_SECRET: 'component-secret\r\n',
      }),
      {},
    );
    expect(platform).toMatchObject({ tokens: ['the-token'], appSecret: 'component-secret' });
  });
});

describe('where a process on this machine finds what listens', () => {
  it.each([
    ['127.0.0.1', 'http://127.0.0.1:3000'],
    ['192.0.2.7', 'http://192.0.2.7:3000'],
    ['::1', 'http://[::1]:3000'],
    ['localhost', 'http://localhost:3000'],
    ['0.0.0.0', 'http://127.0.0.1:3000'],
    ['::', 'http://127.0.0.1:3000'],
  ])('at %s is %s', (host, origin) => {
    expect(localOriginOf(host, 3000)).toBe(origin);
  });
});
