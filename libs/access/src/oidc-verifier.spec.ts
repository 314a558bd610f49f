import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { Controller, Get, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK } from 'jose';
import {
  AccessFailures,
  AccessModule,
  Caller,
  parseApiKeys,
  RequireRole,
  createApiKey,
  type AccessCaller,
} from './index.js';
import { OidcVerifier, type OidcOptions } from './oidc-verifier.js';

const AUDIENCE = 'wechat-admin';

/** An identity provider as they are: it serves its discovery document and its public keys, and signs tokens. */
class Issuer {
  readonly keys = new Map<string, { publicKey: CryptoKey; privateKey: CryptoKey; jwk: JWK }>();
  readonly requests: string[] = [];
  readonly overrides = new Map<string, (send: (status: number, body: string) => void) => void>();
  private server: Server;
  url: string;

  async start(): Promise<void> {
    this.server = createServer(({ url = '' }, response) => {
      this.requests.push(url);
      const send = (status: number, body: string) => void response.writeHead(status).end(body);
      const override = this.overrides.get(url);
      if (override) return override(send);
      if (url === '/.well-known/openid-configuration') return send(200, JSON.stringify(this.discovery()));
      if (url === '/keys') return send(200, JSON.stringify({ keys: [...this.keys.values()].map(({ jwk }) => jwk) }));
      send(404, '');
    });
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  discovery() {
    return { issuer: this.url, jwks_uri: `${this.url}/keys`, response_types_supported: ['code'] };
  }

  async addKey(kid: string, alg = 'ES256'): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    this.keys.set(kid, { publicKey, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } });
  }

  async token({ kid = 'k1', alg = 'ES256', claims = {} }: { kid?: string; alg?: string; claims?: object } = {}) {
    const signed = this.keys.get(kid);
    if (!signed) throw new Error(`no key ${kid}`);
    return new SignJWT({ ...this.claims(), ...claims }).setProtectedHeader({ alg, kid }).sign(signed.privateKey);
  }

  claims() {
    const seconds = Math.floor(Date.now() / 1000);
    return { iss: this.url, aud: AUDIENCE, sub: 'user-7', role: 'operator', iat: seconds, exp: seconds + 300 };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('OidcVerifier', () => {
  let issuer: Issuer;
  const verifier = (options: Partial<OidcOptions> = {}) =>
    new OidcVerifier({ issuer: issuer.url, audience: AUDIENCE, ...options });
  const invalid = expect.objectContaining({ status: 401, code: 'CREDENTIALS_INVALID' }) as unknown;
  const unavailable = expect.objectContaining({ status: 503, code: 'IDENTITY_PROVIDER_UNAVAILABLE' }) as unknown;

  beforeEach(async () => {
    issuer = new Issuer();
    await issuer.start();
    await issuer.addKey('k1');
  });
  afterEach(() => issuer.stop());

  it.each(['ES256', 'RS256', 'PS384', 'EdDSA'])(
    'knows the subject and the role of a token signed with %s',
    async (alg) => {
      await issuer.addKey('other', alg);
      const token = await issuer.token({ kid: 'other', alg });
      expect(OidcVerifier.isCandidate(token)).toBe(true);
      expect(await verifier().verify(token)).toEqual({ name: 'user-7', role: 'operator', kind: 'oidc' });
    },
  );

  it('reads the discovery document and the keys once, however many tokens come at once', async () => {
    const oidc = verifier();
    const token = await issuer.token();
    await Promise.all(Array.from({ length: 20 }, () => oidc.verify(token)));
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it.each<[string, object]>([
    ['for another audience', { aud: 'someone-else' }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['of an issuer spelt differently', { iss: 'http://127.0.0.1/' }],
    ['that has expired', { exp: Math.floor(Date.now() / 1000) - 60 }],
    ['that is not valid yet', { nbf: Math.floor(Date.now() / 1000) + 60 }],
    ['that never expires', { exp: undefined }],
    ['without an audience', { aud: undefined }],
    ['without a subject', { sub: undefined }],
    ['with an empty subject', { sub: '' }],
  ])('refuses a token %s', async (_, claims) => {
    await expect(verifier().verify(await issuer.token({ claims }))).rejects.toEqual(invalid);
  });

  it('forgives a clock that is a few seconds off', async () => {
    const claims = { exp: Math.floor(Date.now() / 1000) - 3 };
    expect(await verifier().verify(await issuer.token({ claims }))).toMatchObject({ name: 'user-7' });
  });

  it('refuses a token without a signature', async () => {
    const token = new UnsecuredJWT(issuer.claims()).encode();
    await expect(verifier().verify(token)).rejects.toEqual(invalid);
  });

  it('refuses a token signed with HS256 and the public key as the secret', async () => {
    await issuer.addKey('rsa', 'RS256');
    const pem = await exportSPKI(issuer.keys.get('rsa')!.publicKey);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'HS256', kid: 'rsa' })}.${part(issuer.claims())}`;
    const token = `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
    await expect(verifier().verify(token)).rejects.toEqual(invalid);
  });

  it('refuses a token signed with HS256 and a secret, even one the provider lists', async () => {
    const secret = Buffer.from('a secret of thirty-two bytes, ok');
    const jwk = { kty: 'oct', k: secret.toString('base64url'), kid: 'shared', alg: 'HS256' };
    issuer.overrides.set('/keys', (send) => send(200, JSON.stringify({ keys: [jwk] })));
    const header = { alg: 'HS256', kid: 'shared' };
    const token = await new SignJWT(issuer.claims()).setProtectedHeader(header).sign(secret);
    await expect(verifier().verify(token)).rejects.toEqual(invalid);
  });

  it('refuses a token whose claims were changed after signing', async () => {
    const [head, , signature] = (await issuer.token({ claims: { role: 'viewer' } })).split('.');
    const claims = Buffer.from(JSON.stringify(issuer.claims())).toString('base64url');
    await expect(verifier().verify(`${head}.${claims}.${signature}`)).rejects.toEqual(invalid);
  });

  it('refuses a token signed with a key the provider does not list', async () => {
    const stranger = new Issuer();
    stranger.url = issuer.url;
    await stranger.addKey('k1');
    await stranger.addKey('k2');
    await expect(verifier().verify(await stranger.token({ kid: 'k1' }))).rejects.toEqual(invalid);
    await expect(verifier().verify(await stranger.token({ kid: 'k2' }))).rejects.toEqual(invalid);
  });

  it('does not take a key from the token itself', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const header = { alg: 'ES256', kid: 'k1', jwk: await exportJWK(publicKey), jku: `${issuer.url}/evil` };
    const token = await new SignJWT(issuer.claims()).setProtectedHeader(header).sign(privateKey);
    await expect(verifier().verify(token)).rejects.toEqual(invalid);
    expect(issuer.requests).not.toContain('/evil');
  });

  it.each(['a.b.c', 'e30.e30.', 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA'])('refuses %s', async (token) => {
    await expect(verifier().verify(token)).rejects.toEqual(invalid);
  });

  it('learns a new key when the provider changes its keys, and forgets the old one', async () => {
    const oidc = verifier({ keysCooldownMs: 0 });
    const old = await issuer.token();
    await oidc.verify(old);
    issuer.keys.delete('k1');
    await issuer.addKey('k2');
    expect(await oidc.verify(await issuer.token({ kid: 'k2' }))).toMatchObject({ name: 'user-7' });
    await expect(oidc.verify(old)).rejects.toEqual(invalid);
  });

  it('does not ask the provider for every unknown key', async () => {
    const oidc = verifier();
    await oidc.verify(await issuer.token());
    await issuer.addKey('k2');
    const token = await issuer.token({ kid: 'k2' });
    for (let i = 0; i < 10; i++) await expect(oidc.verify(token)).rejects.toEqual(invalid);
    expect(issuer.requests.filter((url) => url === '/keys')).toHaveLength(1);
  });

  it.each<[string, object, string | undefined, string]>([
    ['the claim role', { role: 'viewer' }, undefined, 'viewer'],
    ['the claim roles where role is absent', { role: undefined, roles: ['x', 'viewer'] }, undefined, 'viewer'],
    ['the highest of several', { role: ['service', 'viewer', 'operator'] }, undefined, 'operator'],
    ['the configured claim alone', { 'https://x/role': 'service' }, 'https://x/role', 'service'],
  ])('takes the role from %s', async (_, claims, roleClaim, role) => {
    const oidc = verifier(roleClaim ? { roleClaim } : {});
    expect(await oidc.verify(await issuer.token({ claims }))).toMatchObject({ role });
  });

  it.each([
    { role: undefined },
    { role: 'admin' },
    { role: 'Operator' },
    { role: [] },
    { role: { operator: true } },
    { role: 7 },
  ])('turns a good token with %j away with 403', async (claims) => {
    const forbidden = expect.objectContaining({ status: 403, code: 'ROLE_TOO_LOW' }) as unknown;
    await expect(verifier().verify(await issuer.token({ claims }))).rejects.toEqual(forbidden);
  });

  it.each<[string, string, (send: (status: number, body: string) => void) => void]>([
    ['answers 500 for the discovery document', '/.well-known/openid-configuration', (send) => send(500, '')],
    ['answers HTML for it', '/.well-known/openid-configuration', (send) => send(200, '<html>')],
    ['answers 500 for the keys', '/keys', (send) => send(500, '')],
    ['answers no key set for the keys', '/keys', (send) => send(200, '[]')],
    ['leaves us hanging', '/keys', () => undefined],
  ])('answers 503 when the provider %s', async (_, path, answer) => {
    issuer.overrides.set(path, answer);
    await expect(verifier({ timeoutMs: 200 }).verify(await issuer.token())).rejects.toEqual(unavailable);
  });

  it('answers 503 when the discovery document is that of another issuer', async () => {
    const document = JSON.stringify({ ...issuer.discovery(), issuer: `${issuer.url}/other` });
    issuer.overrides.set('/.well-known/openid-configuration', (send) => send(200, document));
    await expect(verifier().verify(await issuer.token())).rejects.toEqual(unavailable);
    expect(issuer.requests).not.toContain('/keys');
  });

  it('answers 503 while the provider is down, and recovers by itself', async () => {
    let now = Date.now();
    const oidc = verifier({ now: () => now });
    issuer.overrides.set('/.well-known/openid-configuration', (send) => send(503, ''));
    const token = await issuer.token();
    for (let i = 0; i < 5; i++) await expect(oidc.verify(token)).rejects.toEqual(unavailable);
    expect(issuer.requests).toHaveLength(1);
    issuer.overrides.clear();
    now += 6_000;
    expect(await oidc.verify(token)).toMatchObject({ name: 'user-7' });
  });

  it('goes on with the keys it has when the provider goes down', async () => {
    const oidc = verifier();
    const token = await issuer.token();
    await oidc.verify(token);
    await issuer.stop();
    expect(await oidc.verify(token)).toMatchObject({ name: 'user-7' });
    await issuer.start();
  });

  it('goes on with the keys it has when the provider falters as it is read again, an hour later', async () => {
    let now = Date.now();
    const oidc = verifier({ now: () => now });
    await oidc.verify(await issuer.token());
    now += 3_601_000;
    const claims = { exp: Math.floor(now / 1000) + 60 };
    issuer.overrides.set('/.well-known/openid-configuration', (send) => send(502, ''));
    for (let i = 0; i < 3; i++)
      expect(await oidc.verify(await issuer.token({ claims }))).toMatchObject({ name: 'user-7' });
    expect(issuer.requests.filter((url) => url.includes('well-known'))).toHaveLength(2);
  });

  it('answers 503 when nothing listens where the provider should be', async () => {
    const oidc = new OidcVerifier({ issuer: 'http://127.0.0.1:1', audience: AUDIENCE });
    await expect(oidc.verify(await issuer.token())).rejects.toEqual(unavailable);
  });

  it('keeps the token out of its errors', async () => {
    const token = await issuer.token({ claims: { aud: 'x' } });
    const error: unknown = await verifier()
      .verify(token)
      .catch((caught: unknown) => caught);
    expect(inspect(error, { depth: 9 })).toContain('CREDENTIALS_INVALID');
    expect(inspect(error, { depth: 9 })).not.toContain(token.slice(-20));
  });

  it.each(['no-dots', 'one.dot', 'a.b.c.d', 'a..c', 'a.b!.c', ''])('does not take %j for a JWT', (token) => {
    expect(OidcVerifier.isCandidate(token)).toBe(false);
  });

  describe('behind the guard', () => {
    @Controller()
    class WhoController {
      @Get('who')
      @RequireRole('viewer')
      who(@Caller() caller: AccessCaller) {
        return caller;
      }
    }

    let app: NestFastifyApplication;
    let url: string;
    const { key, entry } = createApiKey('ops', 'operator');
    const who = (bearer: string) => fetch(`${url}/who`, { headers: { authorization: `Bearer ${bearer}` } });

    beforeEach(async () => {
      class App {}
      const oidc = { issuer: issuer.url, audience: AUDIENCE };
      const access = AccessModule.register({ keys: parseApiKeys(entry), oidc });
      const root = { module: App, imports: [access], controllers: [WhoController] };
      jest.spyOn(Logger.prototype, 'warn').mockImplementation();
      app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), { logger: false });
      await app.listen(0, '127.0.0.1');
      url = await app.getUrl();
    });
    afterEach(async () => {
      await app.close();
      jest.restoreAllMocks();
    });

    it('lets tokens in beside API keys', async () => {
      expect(await (await who(key)).json()).toMatchObject({ name: 'ops', kind: 'api-key' });
      expect(await (await who(await issuer.token())).json()).toMatchObject({ name: 'user-7', kind: 'oidc' });
    });

    it('counts why tokens are turned away', async () => {
      await who('not-a-jwt');
      await who(await issuer.token({ claims: { aud: 'x' } }));
      await who(await issuer.token({ claims: { role: 'nobody' } }));
      await who(await issuer.token({ claims: { role: 'service' } }));
      const counts = app.get(AccessFailures).snapshot();
      expect(counts).toMatchObject({ unknown_key: 1, invalid_token: 1, no_role: 1, role_too_low: 1 });
    });
  });
});
