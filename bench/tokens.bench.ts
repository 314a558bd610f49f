import 'reflect-metadata';
import { performance } from 'node:perf_hooks';
import { AuthorizerTokenService } from '@app/authorizer';
import pino from 'pino';
import { Pool } from 'pg';
import { createApp } from '../apps/api/src/create-app.js';
import { migrate } from '../apps/api/src/database.js';
import { completeEnv, readVariables } from '../apps/api/src/env.js';
import { createSandbox } from '../apps/sandbox/src/create-sandbox.js';
import { createDatabase } from '../test/support/database.js';
import { eventually } from '../test/support/eventually.js';
import { baseVariables } from '../test/support/platform.js';

const ACCOUNTS = 2_000;
const AT_ONCE = 16;
const CALLERS = 200;

/** Token reads per second from memory, from the row and in contention, beside a plain Map read and a plain `select`. */
export default async function tokens(): Promise<string[]> {
  const database = await createDatabase();
  const sandbox = await createSandbox({ ticketEverySeconds: 0 });
  await migrate(database.url);
  const env = completeEnv(
    readVariables({ ...baseVariables(database.url, sandbox.url), RECONCILE_CALLS_PER_MINUTE: '60000' }),
    {},
  );
  const apps = [await createApp(env, pino({ level: 'silent' })), await createApp(env, pino({ level: 'silent' }))];
  const pool = new Pool({ connectionString: database.url, max: AT_ONCE });
  try {
    for (const app of apps) await app.listen(0, '127.0.0.1');
    const { port } = apps[0]!.getHttpServer().address() as { port: number };
    sandbox.world.pushes.url = `http://127.0.0.1:${port}/social/with/wechat/receiveEvent`;
    await sandbox.world.pushTicket();
    const services = apps.map((app) => app.get(AuthorizerTokenService));
    const appIds = await authorize(sandbox.world, pool, services[0]!, env.platform.appId);
    return await measure(services as [AuthorizerTokenService, AuthorizerTokenService], pool, appIds);
  } finally {
    await pool.end();
    for (const app of apps) await app.close();
    await sandbox.close();
    await database.drop();
  }
}

type World = Awaited<ReturnType<typeof createSandbox>>['world'];

/** One real authorization whose tokens the others borrow: rows as they are, without two thousand exchanges. */
async function authorize(
  world: World,
  pool: Pool,
  service: AuthorizerTokenService,
  component: string,
): Promise<string[]> {
  const accounts = world.addAuthorizers(ACCOUNTS);
  await pool.query(
    `insert into authorizer (component_app_id, app_id, status) select $1, unnest($2::text[]), 'authorized'`,
    [component, accounts.map(({ appId }) => appId)],
  );
  const { appId } = world.addAccount({ kind: 'mini_program' });
  await world.authorize(appId);
  await eventually(() => service.getAccessToken(appId));
  const appIds = accounts.map((account) => account.appId);
  await seal(
    service,
    pool,
    appIds,
    accounts.map(({ grant }) => grant!.refreshToken),
    component,
  );
  for (let first = 0; first < appIds.length; first += AT_ONCE)
    await Promise.all(appIds.slice(first, first + AT_ONCE).map((id) => service.getAccessToken(id)));
  return appIds;
}

async function seal(
  service: AuthorizerTokenService,
  pool: Pool,
  appIds: readonly string[],
  refreshTokens: readonly string[],
  component: string,
): Promise<void> {
  // The service's own keyring, so that the rows are as the service writes them.
  const { keyring } = (
    service as unknown as { credentials: { keyring: { seal(plain: string, context: string): string } } }
  ).credentials;
  const sealed = appIds.map((appId, index) =>
    keyring.seal(refreshTokens[index]!, `authorizer_credential.refresh_token:${component}:${appId}`),
  );
  await pool.query(
    `insert into authorizer_credential (component_app_id, app_id, refresh_token)
     select $1, app_id, sealed from unnest($2::text[], $3::text[]) as fresh(app_id, sealed)`,
    [component, appIds, sealed],
  );
}

async function measure(
  [service, peer]: [AuthorizerTokenService, AuthorizerTokenService],
  pool: Pool,
  appIds: readonly string[],
): Promise<string[]> {
  const map = new Map(appIds.map((appId) => [appId, { token: appId, expiresAt: new Date(Date.now() + 7_200_000) }]));
  const pick = (index: number) => appIds[index % appIds.length]!;
  const select = `select access_token, access_token_expires_at from authorizer_credential where app_id = $1 and component_app_id = $2`;
  const component = (await pool.query<{ id: string }>('select component_app_id as id from authorizer limit 1')).rows[0]!
    .id;

  // Each awaited, as a caller would; otherwise the loop would measure nothing but itself.
  const mapRate = await rate(2_000_000, 1, (index) => Promise.resolve(map.get(pick(index))));
  const cachedRate = await rate(1_000_000, 1, (index) => service.getAccessToken(pick(index)));
  const selectRate = await rate(20_000, AT_ONCE, (index) =>
    pool.query({ name: 'read', text: select, values: [pick(index), component] }),
  );
  const rowRate = await rate(20_000, AT_ONCE, (index) => {
    service.forget(pick(index));
    return service.getAccessToken(pick(index));
  });
  const contended = await contention([service, peer], pool, appIds.slice(0, 20));
  return [
    `plain Map read, awaited   ${perSecond(mapRate)}`,
    `token from memory         ${perSecond(cachedRate)}   ${(cachedRate / mapRate).toFixed(2)} × the Map`,
    `plain select, ${AT_ONCE} at once  ${perSecond(selectRate)}`,
    `token from the row        ${perSecond(rowRate)}   ${(rowRate / selectRate).toFixed(2)} × the select`,
    `${CALLERS} callers of two replicas for one ended token: all answered after ${contended.ms.toFixed(0)} ms (median),`,
    `  ${perSecond((CALLERS / contended.ms) * 1000)} contended, ${(((CALLERS / contended.ms) * 1000) / selectRate).toFixed(2)} × the select; a refresh includes a call over HTTP`,
  ];
}

async function contention(
  services: readonly AuthorizerTokenService[],
  pool: Pool,
  appIds: readonly string[],
): Promise<{ ms: number }> {
  const times: number[] = [];
  for (const appId of appIds) {
    await pool.query(`update authorizer_credential set access_token_expires_at = now() where app_id = $1`, [appId]);
    for (const service of services) service.forget(appId);
    const start = performance.now();
    await Promise.all(
      Array.from({ length: CALLERS }, (_, index) => services[index % services.length]!.getAccessToken(appId)),
    );
    times.push(performance.now() - start);
  }
  return { ms: times.sort((a, b) => a - b)[times.length >> 1]! };
}

/** Calls per second with so many under way, the best of three rounds. */
async function rate(calls: number, atOnce: number, call: (index: number) => Promise<unknown>): Promise<number> {
  let best = 0;
  for (let round = 0; round < 3; round += 1) {
    let next = 0;
    const start = performance.now();
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        while (next < calls) await call(next++);
      }),
    );
    best = Math.max(best, (calls / (performance.now() - start)) * 1000);
  }
  return best;
}

function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString('en')}/s`.padStart(12);
}
