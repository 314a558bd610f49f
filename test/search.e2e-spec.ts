import { AuthorizerService } from '@app/authorizer';
import { type WechatOptions } from '@app/wechat';
import { DataSource } from 'typeorm';
import { databaseOptions, migrate } from '../apps/api/src/database.js';
import { createDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { TestPlatform } from './support/platform.js';

interface Page {
  items: { appId: string; status: string; nickName: string | null; attention: string | null }[];
  nextCursor: string | null;
}
interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Actual Loops': number;
  Plans?: Plan[];
}

const ROWS = 20_000;
/** What the list asks, and not what other parts of the application do meanwhile. */
const IS_OF_THE_LIST = /\bfrom (candidate|authorizer a)\b/;
const COMPONENT = 'wx5a0d60c8f1e2b347';

describe('the list of authorizers', () => {
  let t: TestPlatform;
  beforeAll(async () => {
    t = await TestPlatform.start({ ticket: false });
    await t.query(
      `insert into authorizer
         (component_app_id, app_id, status, account_type, attention, tenant_id, nick_name, principal_name, user_name, permission_ids)
       select $1, 'wx' || lpad(to_hex(n), 16, '0'),
         case when n % 50 = 0 then 'unauthorized' when n % 1000 = 1 then 'pending' else 'authorized' end,
         case when n % 3 = 0 then 'mini_program' else 'service_account' end,
         case when n % 4000 = 0 then 'account_frozen' end,
         't-' || (n % 7),
         (array['咖啡', '茶馆', 'Bookshop '])[1 + n % 3] || n, '深圳市' || (n % 500) || '有限公司', 'gh_' || md5(n::text),
         case when n % 5000 = 7 then '{1,18,99}'::int[] else '{1,18}' end
       from generate_series(1, ${ROWS}) as n`,
      [COMPONENT],
    );
    await t.query(
      `insert into authorizer_credential (component_app_id, app_id, invalid, updated_at)
       select component_app_id, app_id, false, now() from authorizer where status = 'authorized'`,
    );
    await t.query('vacuum analyze');
  }, 120_000);
  afterAll(() => t.stop());

  const list = async (query: Record<string, string> = {}) => {
    const answer = await t.get<Page>(`/admin/wechat/authorizers?${new URLSearchParams(query).toString()}`);
    expect([answer.status, answer.text.slice(0, 300)]).toEqual([200, expect.any(String)]);
    return answer.body;
  };
  const all = async (query: Record<string, string>) => {
    const items: Page['items'] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Page = await list({ ...query, limit: '200', ...(cursor ? { cursor } : {}) });
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    return items;
  };
  const add = (facts: Record<string, unknown>) => {
    const named: Record<string, unknown> = { component_app_id: COMPONENT, ...facts };
    const names = Object.keys(named);
    const places = names.map((_, index) => `$${index + 1}`);
    return t.query(`insert into authorizer (${names.join(', ')}) values (${places.join(', ')})`, Object.values(named));
  };

  describe('whatever is asked of it', () => {
    const questions: Record<string, string>[] = [
      {},
      { status: 'authorized' },
      { status: 'pending' },
      { status: 'unauthorized', accountType: 'mini_program' },
      { attention: 'account_frozen' },
      { attention: 'profile_unavailable' },
      { accountType: 'talent' },
      { tenantId: 't-3' },
      { tenantId: 't-3', status: 'pending', accountType: 'service_account' },
      { tenantId: 'nobody' },
      { permission: '18' },
      { permission: '99' },
      { permission: '18', status: 'pending' },
      { permission: '18', tenantId: 't-3' },
      { permission: '99', tenantId: 't-3' },
      { q: '咖' },
      { q: '深圳市' },
      { q: 'g' },
      { q: 'BOOKSHOP' },
      { q: '没有' },
      { q: '咖啡', status: 'pending' },
      { q: '深', tenantId: 't-3', attention: 'account_frozen' },
      { q: '深', permission: '99' },
    ];

    it.each(questions)('reads no more of it than a page needs: %j', async (question) => {
      const first = await list(question);
      for (const cursor of ['', first.nextCursor]) {
        if (cursor === null) continue;
        const plans = await plansOf(() => list({ ...question, ...(cursor && { cursor }) }));
        expect(plans).not.toHaveLength(0);
        const nodes = plans.flatMap(flattened);
        const tablesReadWhole = nodes.filter((node) => node['Node Type'] === 'Seq Scan');
        expect(tablesReadWhole.map((node) => node['Relation Name'])).toEqual([]);
        const touched = Math.max(...nodes.map(rowsRead));
        expect(touched).toBeLessThanOrEqual('permission' in question && 'q' in question ? 2_500 : 1_200);
      }
    });

    it.each(questions)('leaves nothing out and shows nothing twice: %j', async (asked) => {
      const question = { ...asked, tenantId: 't-3' };
      const appIds = (await all(question)).map(({ appId }) => appId);
      expect(new Set(appIds).size).toBe(appIds.length);
      expect(appIds).toHaveLength(await counted(question));
    });

    /** The same question, the slow and obvious way. */
    async function counted({ q, permission, ...equal }: Record<string, string>): Promise<number> {
      const column: Record<string, string> = { accountType: 'account_type', tenantId: 'tenant_id' };
      const where = Object.entries(equal).map(([name, value]) => `${column[name] ?? name} = '${value}'`);
      if (permission) where.push(`${permission} = any (permission_ids)`);
      const prefix = q?.toLowerCase();
      if (prefix)
        where.push(
          `(${['nick_name', 'principal_name', 'user_name', 'app_id'].map((name) => `lower(${name}) like '${prefix}%'`).join(' or ')})`,
        );
      const [row] = await t.query<{ count: number }>(
        `select count(*)::int as count from authorizer where ${where.join(' and ')}`,
      );
      return row!.count;
    }

    async function plansOf(ask: () => Promise<unknown>): Promise<Plan[]> {
      const dataSource = t.app.get(DataSource);
      const ran: { text: string; values: unknown[] }[] = [];
      const query = jest.spyOn(dataSource, 'query');
      try {
        await ask();
        for (const [text, values] of query.mock.calls)
          if (IS_OF_THE_LIST.test(text)) ran.push({ text, values: values as unknown[] });
      } finally {
        query.mockRestore();
      }
      const explained = ran.map(({ text, values }) =>
        t.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (analyze, format json) ${text}`, values),
      );
      return (await Promise.all(explained)).map(([row]) => row!['QUERY PLAN'][0].Plan);
    }

    /** Those it threw away too: a plan that reads the whole table to answer one row has read the whole table. */
    function rowsRead(node: Plan): number {
      const thrownAway = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
      return (node['Actual Rows'] + thrownAway) * node['Actual Loops'];
    }

    function flattened(plan: Plan): Plan[] {
      return [plan, ...(plan.Plans ?? []).flatMap(flattened)];
    }
  });

  describe('searched', () => {
    const found = async (q: string) => (await list({ q, tenantId: 'search' })).items.map(({ nickName }) => nickName);

    beforeAll(async () => {
      const names = [
        'Éclair Café',
        'ＷＩＤＥ全角',
        '100%_sure',
        "O'Hara",
        '阿里 Ali',
        '  padded',
        'Ünïcode',
        'ΣΊΣΥΦΟΣ',
        '😀 笑',
        'a\\b',
      ];
      for (const [index, nick_name] of names.entries())
        await add({ app_id: `wxsearch${index}`, nick_name, tenant_id: 'search', principal_name: `P${index} 公司` });
    });

    it.each([
      ['éclair', 'Éclair Café'],
      ['ÉCLAIR CAF', 'Éclair Café'],
      ['wide全', 'ＷＩＤＥ全角'],
      ['ｗｉｄｅ', 'ＷＩＤＥ全角'],
      ['100%', '100%_sure'],
      ['100%_', '100%_sure'],
      ["o'h", "O'Hara"],
      ['阿里 a', '阿里 Ali'],
      ['padd', '  padded'],
      ['ünï', 'Ünïcode'],
      ['σίσ', 'ΣΊΣΥΦΟΣ'],
      ['😀', '😀 笑'],
      ['a\\', 'a\\b'],
      ['p3 公', "O'Hara"],
      ['WXSEARCH4', '阿里 Ali'],
    ])('for %s finds %s', async (q, nickName) => {
      expect(await found(q)).toEqual([nickName]);
    });

    it.each(['%', '_00', 'clair', '里', 'a_b', '\\', '0', "'"])(
      'for %s finds nothing: it begins no name',
      async (q) => {
        expect(await found(q)).toEqual([]);
      },
    );

    it('shows an account once, however many of its names fit', async () => {
      await add({
        app_id: 'same-1',
        nick_name: 'Same',
        principal_name: 'same again',
        user_name: 'SAME',
        tenant_id: 'search',
      });
      expect(await found('same')).toEqual(['Same']);
    });

    it('follows the record: new names are found, old ones are not', async () => {
      await add({ app_id: 'wxmoving', nick_name: 'before', tenant_id: 'search' });
      await t.query(`update authorizer set nick_name = 'after', status = 'authorized' where app_id = 'wxmoving'`);
      expect(await found('before')).toEqual([]);
      expect(await found('afte')).toEqual(['after']);
      expect((await list({ q: 'afte', status: 'authorized' })).items).toHaveLength(1);
      expect((await list({ q: 'afte', status: 'pending' })).items).toHaveLength(0);
      await t.query(
        `update authorizer set tenant_id = 'elsewhere', permission_ids = '{4242}' where app_id = 'wxmoving'`,
      );
      expect(await found('afte')).toEqual([]);
      expect((await list({ permission: '4242' })).items).toHaveLength(1);
      await t.query(`update authorizer set status = 'unauthorized' where app_id = 'wxmoving'`);
      expect((await list({ permission: '4242', status: 'authorized' })).items).toHaveLength(0);
      expect((await list({ permission: '4242', status: 'unauthorized' })).items).toHaveLength(1);
      await t.query(`delete from authorizer where app_id = 'wxmoving'`);
      expect(await t.query(`select 1 from authorizer_permission where permission_id = 4242`)).toEqual([]);
    });
  });

  it('goes on where it was, whoever comes in between', async () => {
    const first = await list({ tenantId: 't-2', limit: '10' });
    await add({ app_id: 'wxlate', nick_name: '咖啡 late', tenant_id: 't-2' });
    const second = await list({ tenantId: 't-2', limit: '10', cursor: first.nextCursor! });
    const expected = (await all({ tenantId: 't-2' })).map(({ appId }) => appId);
    expect(expected[0]).toBe('wxlate');
    expect([...first.items, ...second.items].map(({ appId }) => appId)).toEqual(expected.slice(1, 21));
  });

  it('counts its members by status, and again only after a while where that is slow', async () => {
    const counts = async () =>
      (await t.get<{ authorizers: Record<string, number> }>('/admin/wechat/platform')).body.authorizers;
    const before = await counts();
    expect(before.unauthorized).toBeGreaterThanOrEqual(ROWS / 50);
    await add({ app_id: 'wxcounted', status: 'unauthorized' });
    await eventually(async () => expect((await counts()).unauthorized).toBe(before.unauthorized! + 1));

    const dataSource = t.app.get(DataSource);
    const ask = dataSource.query.bind(dataSource) as (text: string, values?: unknown[]) => Promise<unknown>;
    let countings = 0;
    const query = jest.spyOn(dataSource, 'query').mockImplementation(async (text, values) => {
      if (text.includes('group by segment') && ++countings > 0) await ask('select pg_sleep(0.3)');
      return ask(text, values as unknown[]);
    });
    await eventually(async () => {
      await counts();
      expect(countings).toBe(1);
    });
    for (let asked = 0; asked < 5; asked++) await counts();
    query.mockRestore();
    expect(countings).toBe(1);
  });
});

describe('a search in a database that sorts by pinyin', () => {
  it('finds the same, by the same index', async () => {
    const database = await createDatabase(
      `locale_provider icu icu_locale 'zh-u-co-pinyin' lc_collate 'C' lc_ctype 'C'`,
    );
    await migrate(database.url);
    const dataSource = await new DataSource(databaseOptions(database.url)).initialize();
    await dataSource.transaction(async (tx) => {
      await tx.query('set local statement_timeout = 0');
      await tx.query(
        `insert into authorizer (component_app_id, app_id, nick_name)
         select $1, 'wx' || n, (array['咖啡', '茶馆', 'Éclair '])[1 + n % 3] || n from generate_series(1, 9000) as n`,
        [COMPONENT],
      );
    });
    await dataSource.query('vacuum analyze authorizer, authorizer_term');
    const authorizers = new AuthorizerService({ appId: COMPONENT } as WechatOptions, dataSource);
    for (const [q, first, second] of [
      ['咖', '咖啡1002', '咖啡1005'],
      ['ÉCL', 'Éclair 1001', 'Éclair 1004'],
      ['茶馆10', '茶馆10', '茶馆100'],
    ]) {
      const query = jest.spyOn(dataSource, 'query');
      const page = await authorizers.list({ q, limit: 2 });
      const [text, values] = query.mock.calls[0]!;
      query.mockRestore();
      expect(page.authorizers.map(({ nickName }) => nickName)).toEqual([first, second]);
      const plan = JSON.stringify(await dataSource.query(`explain (format json) ${text}`, values as unknown[]));
      expect(plan).toContain('ix_authorizer_term');
      expect(plan).not.toContain('Seq Scan');
    }
    await dataSource.destroy();
    await database.drop();
  });
});
