import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { eventually } from './support/eventually.js';
import { KEYS, TestPlatform } from './support/platform.js';

const PLATFORM = '/admin/wechat/platform';
const AUDIENCE = 'wechat-admin';

/** An identity provider: serves its discovery document and public keys, and signs tokens. */
class Issuer {
  private server: Server;
  private privateKey: CryptoKey;
  private jwk: JWK;
  url: string;

  async start(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    this.privateKey = privateKey;
    this.jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
    this.server = createServer(({ url = '' }, response) => {
      const found = url === '/keys' ? { keys: [this.jwk] } : { issuer: this.url, jwks_uri: `${this.url}/keys` };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found));
    });
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  token(claims: object = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: this.url, aud: AUDIENCE, sub: 'alice@example.com', iat: now, exp: now + 300 };
    return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(this.privateKey);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('the guard', () => {
  const issuer = new Issuer();
  let t: TestPlatform;
  beforeAll(async () => {
    await issuer.start();
    t = await TestPlatform.start({
      variables: {
        ADMIN_ALLOWED_ORIGINS: 'https://console.example.com, https://other.example.com/',
        ADMIN_OIDC_ISSUER: issuer.url,
        ADMIN_OIDC_AUDIENCE: AUDIENCE,
        ADMIN_OIDC_ROLE_CLAIM: 'wechat_role',
      },
    });
  });
  afterAll(async () => {
    await t.stop();
    await issuer.stop();
  });

  /** As it stands: fetch would put the path in order first. */
  const raw = (method: string, path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
      const { hostname, port } = new URL(t.url);
      const sent = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode!, headers: answer.headers, text: Buffer.concat(chunks).toString() }),
        );
      });
      sent.on('error', reject).end();
    });

  describe('cannot be walked around', () => {
    it.each([
      PLATFORM,
      `${PLATFORM}?`,
      `${PLATFORM}?x=1`,
      '/%61dmin/wechat/platform',
      '/admin/wech%61t/platform',
      '/admin%2fwechat%2fplatform',
      '//admin/wechat/platform',
      '/admin//wechat/platform',
      `${PLATFORM}/`,
      '/./admin/wechat/platform',
      '/x/../admin/wechat/platform',
      '/health/live/../../admin/wechat/platform',
      '/ADMIN/wechat/platform',
      '/admin/wechat/platform;x',
      '/admin/wechat/platform%00',
      '/admin/wechat/platform.json',
      'http://elsewhere/admin/wechat/platform',
      '/internal/wechat/component-access-token',
    ])('by %s', async (path) => {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const { status, text } = await raw(method, path);
        expect([method, [400, 401, 404].includes(status) || status]).toEqual([method, true]);
        expect(text).not.toContain('componentAppId');
      }
    });

    it('by naming another method or path in a header', async () => {
      for (const name of ['x-http-method-override', 'x-original-url', 'x-rewrite-url', 'x-forwarded-prefix'])
        expect((await raw('GET', '/health/live', { [name]: PLATFORM })).text).toBe('{"status":"ok"}');
    });

    it('by a key in the address, in a cookie or in another scheme', async () => {
      expect((await raw('GET', `${PLATFORM}?access_token=${KEYS.operator}`)).status).toBe(401);
      expect((await raw('GET', PLATFORM, { cookie: `authorization=${KEYS.operator}` })).status).toBe(401);
      expect((await raw('GET', PLATFORM, { authorization: `Basic ${KEYS.operator}` })).status).toBe(401);
      expect((await raw('GET', PLATFORM, { 'x-api-key': KEYS.operator })).status).toBe(401);
    });
  });

  it('answers a right key, whatever the letter case of the scheme', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect((await raw('GET', PLATFORM, { authorization: `${scheme} ${KEYS.viewer}` })).status).toBe(200);
  });

  it('answers HEAD as GET, without the body', async () => {
    const { status, text } = await raw('HEAD', PLATFORM, { authorization: `Bearer ${KEYS.viewer}` });
    expect([status, text]).toEqual([200, '']);
  });

  it('counts whom it turns away, without a key', async () => {
    const count = async (reason: string) => {
      const { text } = await raw('GET', '/metrics');
      expect(text).not.toContain('wrong-key-4711');
      return Number(new RegExp(`admin_access_failures_total{reason="${reason}"} (\\d+)`).exec(text)?.[1]);
    };
    const [unknown, missing] = [await count('unknown_key'), await count('missing')];
    await raw('GET', PLATFORM, { authorization: 'Bearer wrong-key-4711' });
    await raw('GET', PLATFORM);
    expect([await count('unknown_key'), await count('missing')]).toEqual([unknown + 1, missing + 1]);
    expect(t.logs.join('')).not.toContain('wrong-key-4711');
  });

  it('tells who asks too often when to come again', async () => {
    const own = await TestPlatform.start({ ticket: false });
    try {
      const wrong = () => own.get<{ code: string }>(PLATFORM, 'wrong');
      const refused = await eventually(async () => {
        const answers = await Promise.all(Array.from({ length: 260 }, wrong));
        const tooMany = answers.filter(({ status }) => status === 429);
        expect(tooMany).not.toHaveLength(0);
        return tooMany;
      });
      for (const { headers, body } of refused) {
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
        expect(body.code).toBe('TOO_MANY_REQUESTS');
      }
      expect((await own.get(PLATFORM)).status).toBe(200);
    } finally {
      await own.stop();
    }
  });

  describe('with an identity provider', () => {
    const ask = async (claims: object, method = 'GET', path = PLATFORM) =>
      (await raw(method, path, { authorization: `Bearer ${await issuer.token(claims)}` })).status;

    it('lets in by the role in the claim that is configured', async () => {
      expect(await ask({ wechat_role: 'viewer' })).toBe(200);
      expect(await ask({ wechat_role: ['x', 'operator'] })).toBe(200);
      expect(await ask({ role: 'operator' })).toBe(403);
      expect(await ask({ wechat_role: 'service' })).toBe(403);
      expect(await ask({ wechat_role: 'viewer' }, 'POST', `${PLATFORM}/start-push-ticket`)).toBe(403);
    });

    it('turns away a token for others, from others, or of yesterday', async () => {
      expect(await ask({ wechat_role: 'viewer', aud: 'another' })).toBe(401);
      expect(await ask({ wechat_role: 'viewer', iss: 'https://elsewhere' })).toBe(401);
      expect(await ask({ wechat_role: 'viewer', exp: 1_000 })).toBe(401);
    });

    it('has the subject in the audit', async () => {
      expect(await ask({ wechat_role: 'operator' }, 'POST', `${PLATFORM}/start-push-ticket`)).toBe(200);
      expect((await t.get<{ items: unknown[] }>('/admin/wechat/audit')).body.items[0]).toMatchObject({
        actor: { name: 'alice@example.com', kind: 'oidc', role: 'operator' },
      });
    });
  });

  describe('and browsers', () => {
    const preflight = (origin: string) =>
      raw('OPTIONS', PLATFORM, {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      });

    it('lets scripts of the origins that are named read answers', async () => {
      for (const origin of ['https://console.example.com', 'https://other.example.com']) {
        const { status, headers } = await preflight(origin);
        expect([status, headers]).toMatchObject([
          204,
          { 'access-control-allow-origin': origin, 'access-control-allow-headers': 'authorization, content-type' },
        ]);
        expect(String(headers.vary).toLowerCase()).toContain('origin');
        const answer = await raw('GET', PLATFORM, { origin, authorization: `Bearer ${KEYS.viewer}` });
        expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, origin]);
        expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
      }
    });

    it.each(['https://evil.example.com', 'http://console.example.com', 'https://console.example.com.evil.com', 'null'])(
      'does not let scripts of %s',
      async (origin) => {
        expect((await preflight(origin)).headers).not.toHaveProperty('access-control-allow-origin');
        const { headers } = await raw('GET', PLATFORM, { origin, authorization: `Bearer ${KEYS.viewer}` });
        expect(headers).not.toHaveProperty('access-control-allow-origin');
        expect(String(headers.vary).toLowerCase()).toContain('origin');
      },
    );

    it('lets no script of another origin where none is named', async () => {
      const own = await TestPlatform.start({ ticket: false });
      try {
        const headers = { origin: 'https://console.example.com', 'access-control-request-method': 'GET' };
        const answers = [
          await own.request('OPTIONS', PLATFORM, { headers, key: null }),
          await own.request('GET', PLATFORM, { headers }),
        ];
        for (const answer of answers)
          expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
      } finally {
        await own.stop();
      }
    });

    it.each([
      '/health/live',
      '/metrics',
      PLATFORM,
      '/nowhere',
      '/docs',
      '/docs-json',
      '/%zz',
      '/social/with/wechat/receiveEvent',
    ])('has them be strict with the answer of %s', async (path) => {
      const { headers } = await raw('GET', path, { authorization: `Bearer ${KEYS.viewer}` });
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining("default-src 'none'") as string,
        'referrer-policy': 'no-referrer',
      });
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('server');
    });

    it('has nobody keep an answer for admins and services', async () => {
      for (const [path, key] of [
        [PLATFORM, KEYS.viewer],
        ['/admin/wechat/authorizers', KEYS.viewer],
        [PLATFORM, 'wrong'],
      ] as const)
        expect((await raw('GET', path, { authorization: `Bearer ${key}` })).headers['cache-control']).toBe('no-store');
    });

    it('answers what is not HTTP, and header fields without end, and goes on', async () => {
      const say = (text: string) =>
        new Promise<string>((resolve, reject) => {
          const socket = connect(Number(new URL(t.url).port), '127.0.0.1', () => socket.write(text));
          let heard = '';
          socket
            .on('data', (chunk) => (heard += chunk.toString()))
            .on('end', () => resolve(heard))
            .on('error', reject);
        });
      expect(await say('HELO there\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*application\/problem\+json/s);
      expect(await say(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
      expect((await raw('GET', '/health/live')).status).toBe(200);
    });
  });
});
