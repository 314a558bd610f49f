import { performance } from 'node:perf_hooks';
import { Client, type QueryResult } from 'pg';
import { DataSource } from 'typeorm';
import { AuthorizerService } from '@app/authorizer';
import { databaseOptions, migrate } from '../apps/api/src/database.js';
import { createDatabase } from '../test/support/database.js';

const COMPONENT = 'wx5a0d60c8f1e2b347';
const QUESTIONS: Record<string, Record<string, string | number>> = {
  'no filter': {},
  'status, frequent': { status: 'authorized' },
  'status, rare': { status: 'pending' },
  'status and type': { status: 'unauthorized', accountType: 'mini_program' },
  attention: { attention: 'account_frozen' },
  'tenant, frequent': { tenantId: 't-3' },
  'permission, frequent': { permission: 18 },
  'permission, rare': { permission: 99 },
  'permission and tenant': { permission: 99, tenantId: 't-3' },
  'q, one frequent character': { q: '咖' },
  'q, every account': { q: 'wx' },
  'q, one account': { q: '咖啡4242' },
  'q and status': { q: '深圳', status: 'pending' },
  'q and permission': { q: '深圳', permission: 99 },
};

/** How long a page of 50 takes at two sizes of the table, in reads of one row by its primary key in the same run. */
export default async function authorizerList(sizes: readonly number[] = [10_000, 1_000_000]): Promise<string[]> {
  const lines: string[] = [];
  for (const size of sizes) {
    const database = await createDatabase();
    try {
      await migrate(database.url);
      await fill(database.url, size);
      lines.push(...(await measure(database.url, size)));
    } finally {
      await database.drop();
    }
  }
  return lines;
}

async function measure(url: string, size: number): Promise<string[]> {
  const dataSource = await new DataSource(databaseOptions(url)).initialize();
  try {
    const service = new AuthorizerService({ appId: COMPONENT } as never, dataSource);
    const key = () =>
      dataSource.query('select * from authorizer where component_app_id = $1 and app_id = $2', [
        COMPONENT,
        appId(size),
      ]);
    const lines: string[] = [];
    for (const [name, filter] of Object.entries(QUESTIONS)) {
      const page = () => service.list({ ...filter, limit: 50 });
      const [byKey, list] = await medians([key, page]);
      const { authorizers } = await page();
      lines.push(
        `${size} rows, ${name}: ${list!.toFixed(2)} ms for ${authorizers.length}, ${(list! / byKey!).toFixed(1)} × a read by primary key (${byKey!.toFixed(2)} ms)`,
      );
    }
    return lines;
  } finally {
    await dataSource.destroy();
  }
}

/** Taken in turns, so that whatever else the machine does hits all of them. */
async function medians(works: readonly (() => Promise<unknown>)[], rounds = 60): Promise<number[]> {
  const times = works.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, work] of works.entries()) {
      const start = performance.now();
      await work();
      times[index]!.push(performance.now() - start);
    }
  }
  return times.map((all) => all.sort((a, b) => a - b)[rounds >> 1]!);
}

/** Without the trigger, and then all at once: that is ten times as fast. */
async function fill(url: string, size: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const run = (text: string): Promise<QueryResult> => client.query(text);
  try {
    await run('alter table authorizer disable trigger tr_authorizer_search');
    await run(`
      insert into authorizer
        (component_app_id, app_id, status, account_type, attention, tenant_id, nick_name, principal_name, user_name, permission_ids)
      select '${COMPONENT}', 'wx' || lpad(to_hex(n), 16, '0'),
        case when n % 50 = 0 then 'unauthorized' when n % 5000 = 1 then 'pending' else 'authorized' end,
        case when n % 3 = 0 then 'mini_program' else 'service_account' end,
        case when n % 5000 = 0 then 'account_frozen' end,
        't-' || (n % 7),
        (array['咖啡', '茶馆', 'Bookshop '])[1 + n % 3] || n, '深圳市' || (n % 5000) || '有限公司', 'gh_' || substr(md5(n::text), 1, 12),
        case when n % 5000 = 7 then '{1,2,3,4,5,17,18,30,99}'::int[] else '{1,2,3,4,5,17,18,30}' end
      from generate_series(1, ${size}) as n`);
    await run(`
      insert into authorizer_credential (component_app_id, app_id, invalid, updated_at)
      select component_app_id, app_id, false, now() from authorizer where status = 'authorized'`);
    await run(`
      insert into authorizer_term (authorizer_id, component_app_id, segment, tenant_id, term, previous_term)
      select id, component_app_id, segment, tenant_id, term, lag(term) over (partition by id order by term)
      from (
        select distinct a.id, a.component_app_id, a.segment, a.tenant_id, search_term(name) collate "C" as term
        from authorizer a cross join lateral unnest(array[a.app_id, a.nick_name, a.principal_name, a.user_name]) as name
      ) as named`);
    await run(`
      insert into authorizer_permission (component_app_id, permission_id, segment, authorizer_id, tenant_id)
      select component_app_id, permission_id, segment, id, tenant_id from authorizer cross join lateral unnest(permission_ids) as permission_id`);
    await run('alter table authorizer enable trigger tr_authorizer_search');
    await run('vacuum analyze');
  } finally {
    await client.end();
  }
}

function appId(n: number): string {
  return `wx${n.toString(16).padStart(16, '0')}`;
}
