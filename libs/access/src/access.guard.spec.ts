import { Catch, Controller, Get, Logger, Post, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { connect, type AddressInfo } from 'node:net';
import {
  AccessFailures,
  AccessModule,
  AccessProblem,
  Caller,
  Public,
  RequireRole,
  type AccessCaller,
} from './index.js';
import { createApiKey, parseApiKeys } from './api-keys.js';
import { type AccessOptions } from './access.module.js';

const keys = {
  viewer: createApiKey('reader', 'viewer'),
  operator: createApiKey('ops', 'operator'),
  service: createApiKey('crm', 'service'),
};

@Controller('admin')
@RequireRole('viewer')
class AdminController {
  @Get('read')
  read(@Caller() caller: AccessCaller) {
    return caller;
  }

  @Post('act')
  @RequireRole('operator')
  act() {
    return 'acted';
  }

  @Get('open')
  @Public()
  open() {
    return 'open';
  }
}

@Controller()
class OtherController {
  @Get('internal/token')
  @RequireRole('service')
  token() {
    return 'token';
  }

  @Get('forgotten')
  forgotten() {
    return 'nobody said who may see this';
  }
}

@Catch(AccessProblem)
class ProblemFilter implements ExceptionFilter<AccessProblem> {
  catch({ status, code, title, detail, headers = {} }: AccessProblem, host: ArgumentsHost) {
    const reply = host.switchToHttp().getResponse<{
      status(code: number): { headers(fields: object): { send(body: object): void } };
    }>();
    reply.status(status).headers(headers).send({ status, code, title, detail });
  }
}

describe('AccessGuard', () => {
  let app: NestFastifyApplication;
  let url: string;
  let now = 1_700_000_000_000;
  let logged: string[] = [];

  async function start(options: Partial<AccessOptions> = {}) {
    const entries = Object.values(keys).map(({ entry }) => entry);
    const access = AccessModule.register({ keys: parseApiKeys(entries.join(',')), now: () => now, ...options });
    class App {}
    const root = { module: App, imports: [access], controllers: [AdminController, OtherController] };
    app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), { logger: false });
    app.useGlobalFilters(new ProblemFilter());
    logged = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((message: unknown) => void logged.push(String(message)));
    await app.listen(0, '127.0.0.1');
    url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  }

  const get = (path: string, authorization?: string, method = 'GET') =>
    fetch(url + path, { method, headers: authorization === undefined ? {} : { authorization } });
  const as = (role: keyof typeof keys, path: string, method = 'GET') => get(path, `Bearer ${keys[role].key}`, method);

  beforeEach(() => start());
  afterEach(async () => {
    await app.close();
    jest.restoreAllMocks();
  });

  it('lets each role in where it may be, and nowhere else', async () => {
    const routes = [
      ['GET', '/admin/read'],
      ['POST', '/admin/act'],
      ['GET', '/internal/token'],
      ['GET', '/forgotten'],
      ['GET', '/admin/open'],
    ] as const;
    const table: Record<string, number[]> = {};
    for (const role of ['viewer', 'operator', 'service'] as const) {
      table[role] = await Promise.all(routes.map(async ([method, path]) => (await as(role, path, method)).status));
    }
    table['nobody'] = await Promise.all(
      routes.map(async ([method, path]) => (await get(path, undefined, method)).status),
    );
    expect(table).toEqual({
      viewer: [200, 403, 403, 403, 200],
      operator: [200, 201, 403, 403, 200],
      service: [403, 403, 200, 403, 200],
      nobody: [401, 401, 401, 403, 200],
    });
  });

  it('tells the route who calls', async () => {
    expect(await (await as('operator', '/admin/read')).json()).toEqual({
      name: 'ops',
      role: 'operator',
      kind: 'api-key',
    });
  });

  it('answers a caller without a key how to present one', async () => {
    const response = await get('/admin/read');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toMatchObject({ code: 'CREDENTIALS_MISSING' });
  });

  it.each([
    '/%61dmin/read',
    '/admin/%72ead',
    '/admin//read',
    '/admin/read/',
    '/ADMIN/read',
    '/./admin/read',
    '/admin/read;x',
  ])('does not let %s in, however it is spelt', async (path) => {
    expect([401, 404]).toContain((await get(path)).status);
  });

  it.each(['bearer KEY', 'BEARER KEY', 'Bearer    KEY', 'Bearer KEY   '])('takes the key from %j', async (header) => {
    expect((await get('/admin/read', header.replace('KEY', keys.viewer.key))).status).toBe(200);
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'KEY',
    'Basic KEY',
    'BearerKEY',
    'Bearer KEY KEY',
    'Bearer,KEY',
    'Token KEY',
    'Bearer "KEY"',
  ])('does not take a key from %j', async (header) => {
    const response = await get('/admin/read', header.replaceAll('KEY', keys.viewer.key));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('does not choose between two keys', async () => {
    const fields = [`Authorization: Bearer ${keys.viewer.key}`, 'Authorization: Bearer other'];
    expect(await rawStatus(url, fields)).toBe(401);
    expect(await rawStatus(url, fields.reverse())).toBe(401);
    expect(await rawStatus(url, fields.slice(1))).toBe(200);
  });

  it.each(['\xff\xfe', 'Bearer \u00e4\u00f6', 'Bearer a b', 'Bearer \tx', `Bearer ${'x'.repeat(8_000)}`])(
    'turns the bytes %j away',
    async (value) => {
      expect(await rawStatus(url, [`Authorization: ${value}`])).toBe(401);
    },
  );

  it('does not take a key from the query or a cookie', async () => {
    const { key } = keys.operator;
    const inUrl = await get(`/admin/read?access_token=${key}&authorization=Bearer%20${key}`);
    const inCookie = await fetch(`${url}/admin/read`, { headers: { cookie: `authorization=Bearer ${key}` } });
    expect([inUrl.status, inCookie.status]).toEqual([401, 401]);
  });

  it('says which role is needed, with 403', async () => {
    const response = await as('viewer', '/admin/act', 'POST');
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'ROLE_TOO_LOW', detail: 'It needs the role operator' });
  });

  it('counts by reason who is turned away', async () => {
    await get('/admin/read');
    await get('/admin/read', 'Basic x');
    await get('/admin/read', 'Bearer wrong');
    await as('viewer', '/admin/act', 'POST');
    await get('/forgotten');
    await as('viewer', '/admin/read');
    expect(app.get(AccessFailures).snapshot()).toEqual({
      missing: 1,
      malformed: 1,
      unknown_key: 1,
      invalid_token: 0,
      no_role: 0,
      role_too_low: 1,
      route_undeclared: 1,
      rate_limited: 0,
      provider_unavailable: 0,
    });
  });

  it('logs failures without the key or the URL, and not each of many', async () => {
    for (let i = 0; i < 20; i++) await get('/admin/read?secret-in-url', 'Bearer wrong-key');
    expect(logged).toEqual(['CREDENTIALS_INVALID (unknown_key) for 127.0.0.1 at /admin/read']);
    now += 10_000;
    await get('/admin/read', 'Bearer wrong-key');
    expect(logged[1]).toMatch(/and 19 more since$/);
    expect(logged.join()).not.toMatch(/wrong-key|secret-in-url/);
  });

  describe('with low limits', () => {
    beforeEach(async () => {
      await app.close();
      await start({
        rateLimit: {
          failures: { burst: 3, perSecond: 0.1 },
          caller: { burst: 5, perSecond: 1 },
          address: { burst: 30, perSecond: 10 },
        },
      });
    });

    it('makes those wait who present wrong keys, and goes on letting right ones in', async () => {
      const statuses = [];
      for (let i = 0; i < 4; i++) statuses.push((await get('/admin/read', `Bearer wrong-${i}`)).status);
      expect(statuses).toEqual([401, 401, 401, 429]);
      const refused = await get('/admin/read');
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10']);
      expect((await as('viewer', '/admin/read')).status).toBe(200);
      now += 10_000;
      expect((await get('/admin/read', 'Bearer wrong')).status).toBe(401);
    });

    it('makes one caller wait without the others', async () => {
      for (let i = 0; i < 5; i++) expect((await as('viewer', '/admin/read')).status).toBe(200);
      const refused = await as('viewer', '/admin/read');
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
      expect(await refused.json()).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
      expect((await as('operator', '/admin/read')).status).toBe(200);
    });

    it('makes an address wait that sends too much, whoever it is, but never at public routes', async () => {
      for (let i = 0; i < 30; i++) await get('/admin/read');
      expect((await as('viewer', '/admin/read')).status).toBe(429);
      expect((await get('/admin/open')).status).toBe(200);
      expect(app.get(AccessFailures).countOf('rate_limited')).toBe(1);
    });
  });
});

/** Sends header fields as bytes that fetch would not send. */
async function rawStatus(url: string, fields: string[]): Promise<number> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const answer = new Promise<string>((resolve, reject) => {
    socket.once('data', (data) => resolve(data.toString('latin1')));
    socket.once('error', reject);
  });
  const head = ['GET /admin/read HTTP/1.1', 'Host: x', 'Connection: close', ...fields, '', ''].join('\r\n');
  socket.write(Buffer.from(head, 'latin1'));
  const status = Number((await answer).split(' ')[1]);
  socket.destroy();
  return status;
}
