import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { REQUIRED_IN_PRODUCTION, VARIABLE_NAMES } from '../apps/api/src/env.js';
import { freePort } from '../apps/api/src/development/free-port.js';
import { type ApiProcess, startApiProcess } from './support/api-process.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { shell } from './support/shell.js';

const ROOT = path.resolve(__dirname, '..');
const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const blocks = (language: string) =>
  [...README.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, text]) => text ?? '');

/** The README is walked as a newcomer walks it; only ports and the database are the test's own. */
describe('the README', () => {
  let database: TestDatabase;
  let api: ApiProcess;
  let local: (command: string) => string;
  beforeAll(async () => {
    database = await createDatabase();
    const sandboxPort = await freePort();
    const platform = { DATABASE_URL: database.url, SANDBOX_PORT: String(sandboxPort) };
    api = await startApiProcess({ NODE_ENV: 'development', ...platform });
    await eventually(() => expect(api.output()).toContain('The first ticket arrived'), 20_000);
    const key = /Operator key\s+(\S+)/.exec(api.output())?.[1] ?? '';
    local = (command) =>
      command
        .replace('http://127.0.0.1:3000', api.url)
        .replace('http://127.0.0.1:3001', `http://127.0.0.1:${sandboxPort}`)
        .replace('$KEY', key);
  }, 90_000);
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  const command = (including: string) => {
    const found = blocks('sh').find((text) => text.includes(including));
    if (!found) throw new Error(`The README shows no command with ${including}`);
    return local(found.trim());
  };

  it('leads from a push to the subscriber and to the status of the authorizer', async () => {
    await shell(command('/sandbox/authorize'));
    await eventually(async () =>
      expect(JSON.parse(await shell(command('/admin/wechat/authorizers/')))).toMatchObject({
        appId: 'wx3f1c7a9e52d80b64',
        status: 'authorized',
        credential: { status: 'valid' },
      }),
    );
    await eventually(async () =>
      expect(await provisioned()).toEqual([{ app_id: 'wx3f1c7a9e52d80b64', authorizations: 1 }]),
    );
  });

  it('makes a link that a merchant can open', async () => {
    const link = JSON.parse(await shell(command('authorization-links'))) as { url: string; status: string };
    expect(link.status).toBe('pending');
    const page = await fetch(new URL(new URL(link.url).pathname, api.url));
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  });

  it('shows the code of the example as it is', () => {
    const [example] = blocks('ts');
    const source = readFileSync(path.join(ROOT, 'libs/example-crm/src/tenant-provisioner.ts'), 'utf8');
    expect(source).toContain(example);
  });

  it('names every variable there is, and none besides', () => {
    const table = README.slice(README.indexOf('## Configuration'), README.indexOf('## What happens when'));
    const named = new Set(
      [...table.matchAll(/`([A-Z][A-Z_]{3,})`/g)].map(([, name]) => name).filter((name) => name !== 'HOST:PORT'),
    );
    expect([...named].sort()).toEqual(VARIABLE_NAMES.filter((name) => name !== 'NODE_ENV').sort());
    for (const name of REQUIRED_IN_PRODUCTION) expect(table).toContain(name);
  });

  it('points to files that exist', () => {
    for (const [, target] of README.matchAll(/\]\((?!http)([^)#]+)\)/g))
      expect(readFileSync(path.join(ROOT, target ?? ''))).toBeDefined();
  });

  const provisioned = async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query('select app_id, authorizations from crm_tenant');
    await client.end();
    return rows as unknown[];
  };
});
