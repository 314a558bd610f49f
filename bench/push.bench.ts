import { performance } from 'node:perf_hooks';
import fastify from 'fastify';
import { Pool } from 'pg';
import { Pool as HttpPool } from 'undici';
import { TestPlatform } from '../test/support/platform.js';
import { eventXml, seal, type SealedPush } from '../test/support/sealed-push.js';

const PUSHES = 4_000;
const AT_ONCE = 16;

/**
 * Pushes per second from request to `success`, durable: beside a Fastify that only echoes the same bodies, and beside plain inserts
 * of one row, both measured in the same run, before and after.
 */
export default async function push(): Promise<string[]> {
  const t = await TestPlatform.start();
  const echo = fastify();
  echo.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  echo.post('/echo', () => 'success');
  await echo.listen({ port: 0, host: '127.0.0.1' });
  const pool = new Pool({ connectionString: t.database.url, max: 8 });
  try {
    await pool.query('create table plain (id bigint generated always as identity primary key, body jsonb not null)');
    const insert = (body: string) =>
      pool.query({ name: 'plain', text: 'insert into plain (body) values ($1)', values: [JSON.stringify({ body })] });
    const sealed = Array.from({ length: 2 * PUSHES }, (_, i) =>
      seal(eventXml('notify_3rd_wxa_auth', { appid: `wx${String(i).padStart(16, '0')}`, message: 'x'.repeat(200) })),
    );
    const target = http(t.url);
    const baseline = http(`http://127.0.0.1:${(echo.server.address() as { port: number }).port}`);
    await rate(sealed.slice(0, PUSHES), (p) => target.post(`/social/with/wechat/receiveEvent?${query(p)}`, p.body));
    const fresh = sealed.slice(PUSHES);
    const echoed = await rate(fresh, (p) => baseline.post(`/echo?${query(p)}`, p.body));
    const inserted = await rate(fresh, (p) => insert(p.body));
    const pushed = await rate(fresh, (p) => target.post(`/social/with/wechat/receiveEvent?${query(p)}`, p.body));
    const repeated = await rate(fresh, (p) => target.post(`/social/with/wechat/receiveEvent?${query(p)}`, p.body));
    await Promise.all([target.close(), baseline.close()]);
    const line = (what: string, perSecond: number) =>
      `${what}: ${Math.round(perSecond)}/s, ${(perSecond / echoed).toFixed(2)} × the echo, ${(perSecond / inserted).toFixed(2)} × plain inserts`;
    return [
      line('echo of the same bodies', echoed),
      line('plain insert of one row', inserted),
      line('push, stored', pushed),
      line('push, repeated', repeated),
    ];
  } finally {
    await pool.end();
    await echo.close();
    await t.stop();
  }
}

function http(origin: string) {
  const pool = new HttpPool(origin, { connections: AT_ONCE });
  return {
    close: () => pool.close(),
    async post(path: string, body: string): Promise<void> {
      const answer = await pool.request({ path, method: 'POST', body, headers: { 'content-type': 'text/xml' } });
      const text = await answer.body.text();
      if (text !== 'success') throw new Error(`${answer.statusCode} ${text}`);
    },
  };
}

/** How many of these are done in a second, with so many under way at once. */
async function rate(pushes: readonly SealedPush[], once: (push: SealedPush) => Promise<unknown>): Promise<number> {
  const queue = [...pushes];
  const start = performance.now();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = queue.pop(); next; next = queue.pop()) await once(next);
    }),
  );
  return (pushes.length / (performance.now() - start)) * 1000;
}

function query({ query: parameters }: SealedPush): string {
  return new URLSearchParams(parameters).toString();
}
