import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../apps/api/src/development/embedded-postgres.js';
import { postgresProcess } from './support/postgres-process.js';

const NOBODY = 65534;
const asRoot = process.getuid?.() === 0;
const IN_USE = /Another start is already using/;
const onLinux = process.platform === 'linux';

describe('The embedded PostgreSQL', () => {
  const fresh = makeFolder();
  let parent: string;
  let dataDir: string;

  beforeAll(async () => (await startEmbeddedPostgres({ dataDir: path.join(fresh, 'data'), production: false })).stop());

  beforeEach(() => {
    parent = makeFolder();
    dataDir = path.join(parent, 'data');
  });

  afterEach(() => rmSync(parent, { recursive: true, force: true }));
  afterAll(() => rmSync(fresh, { recursive: true, force: true }));

  /** Most tests are not about making a cluster, which is the slow part. */
  const reuseCluster = () => spawnSync('cp', ['-a', path.join(fresh, 'data'), parent]);

  const start = () => startEmbeddedPostgres({ dataDir, production: false });
  const cluster = (...names: string[]) => path.join(dataDir, 'server', 'cluster', ...names);
  const serverPid = () => Number(readFileSync(cluster('postmaster.pid'), 'utf8').split('\n')[0]);

  describe('after an ordinary stop', () => {
    beforeEach(reuseCluster);

    it('leaves no server behind and keeps the data for the next start', async () => {
      const first = await start();
      await write(first.url, 'kept');
      const pid = serverPid();
      await first.stop();
      expect(isAlive(pid)).toBe(false);

      const second = await start();
      expect(await read(second.url)).toEqual(['kept']);
      await second.stop();
    });

    it('starts although the pid file names another process by now', async () => {
      const bystander = spawn('sleep', ['60']);
      writeFileSync(
        cluster('postmaster.pid'),
        `${bystander.pid}\n${cluster()}\n1700000000\n5432\n\n127.0.0.1\n\nready   \n`,
      );

      await (await start()).stop();
      expect(isAlive(bystander.pid)).toBe(true);
      bystander.kill();
    });
  });

  describe('after kill -9', () => {
    beforeEach(reuseCluster);

    it('goes down with the process it belongs to', async () => {
      const killed = await postgresProcess(dataDir);
      const pid = serverPid();
      await killed.kill();
      await eventuallyGone(pid);
    });

    it('has every committed row at the next start, which may come at once', async () => {
      const killed = await postgresProcess(dataDir);
      await write(killed.url, 'committed');
      await killed.kill();

      const next = await start();
      expect(await read(next.url)).toEqual(['committed']);
      await next.stop();
    });

    (onLinux ? it : it.skip)('is taken over by the next start when its keeper was killed too', async () => {
      const killed = await postgresProcess(dataDir);
      await write(killed.url, 'committed');
      const orphan = serverPid();
      killKeeperOf(orphan);
      await killed.kill();
      expect(isAlive(orphan)).toBe(true);

      const next = await start();
      expect(await read(next.url)).toEqual(['committed']);
      expect(isAlive(orphan)).toBe(false);
      await next.stop();
    });

    (onLinux ? it : it.skip)('is stopped by its process when only the keeper was killed', async () => {
      const server = await start();
      const pid = serverPid();
      killKeeperOf(pid);
      await server.stop();
      expect(isAlive(pid)).toBe(false);
    });

    it('recovers when the server was killed as well', async () => {
      const killed = await postgresProcess(dataDir);
      await write(killed.url, 'committed');
      process.kill(serverPid(), 'SIGKILL');
      await killed.kill();

      const next = await start();
      expect(await read(next.url)).toEqual(['committed']);
      await next.stop();
    });
  });

  describe('on a new folder', () => {
    it('sweeps up what a start killed half-way left behind', async () => {
      const abandoned = path.join(dataDir, 'new-killed');
      mkdirSync(path.join(abandoned, 'cluster'), { recursive: true });
      const anHourAgo = Date.now() / 1000 - 3600;
      utimesSync(abandoned, anHourAgo, anHourAgo);

      await (await start()).stop();
      expect(readdirSync(dataDir).filter((name) => name.startsWith('new-'))).toEqual([]);
    });

    it('takes a throw-away folder with it when its process is killed', async () => {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'embedded-postgres-'));
      const killed = await postgresProcess(folder, { durable: false });
      await killed.kill();
      await eventuallyGone(folder);
    });

    it('lets only one of two starts at the very same moment have it', async () => {
      const [one, other] = await Promise.allSettled([postgresProcess(dataDir), postgresProcess(dataDir)]);
      const [winner, loser] = one.status === 'fulfilled' ? [one, other] : [other, one];
      expect(loser).toMatchObject({ reason: { message: expect.stringMatching(IN_USE) as string } });
      if (winner.status === 'rejected') throw winner.reason;

      await write(winner.value.url, 'undisturbed');
      expect(await read(winner.value.url)).toEqual(['undisturbed']);
      await winner.value.stop();
    });
  });

  describe('refuses', () => {
    it('production', async () => {
      await expect(startEmbeddedPostgres({ dataDir, production: true })).rejects.toThrow(/production.*DATABASE_URL/);
      expect(existsSync(dataDir)).toBe(false);
    });

    it('a folder with something of others in it, and leaves that as it is', async () => {
      const foreign = path.join(parent, 'foreign');
      mkdirSync(foreign, { mode: 0o750 });
      writeFileSync(path.join(foreign, 'PG_VERSION'), '18');
      await expect(startEmbeddedPostgres({ dataDir: foreign, production: false })).rejects.toThrow(/did not make/);
      expect(readdirSync(foreign)).toEqual(['PG_VERSION']);
      expect(statSync(foreign).mode & 0o777).toBe(0o750);
    });

    it('a cluster without our mark', async () => {
      reuseCluster();
      writeFileSync(path.join(dataDir, 'server', 'marker.json'), '{"major":"18"}');
      await expect(start()).rejects.toThrow(/did not make/);
    });

    it('a cluster of another major version', async () => {
      reuseCluster();
      const marker = path.join(dataDir, 'server', 'marker.json');
      writeFileSync(marker, readFileSync(marker, 'utf8').replace(/"major":"\d+"/, '"major":"17"'));
      await expect(start()).rejects.toThrow(/made by PostgreSQL 17 and this is \d+/);
    });

    it('to throw away a folder that holds a database', async () => {
      reuseCluster();
      await expect(startEmbeddedPostgres({ dataDir, production: false, durable: false })).rejects.toThrow(/not empty/);
      expect(existsSync(cluster('PG_VERSION'))).toBe(true);
    });

    it('a second start while the first is alive', async () => {
      reuseCluster();
      const first = await start();
      await expect(start()).rejects.toThrow(IN_USE);
      await write(first.url, 'undisturbed');
      expect(await read(first.url)).toEqual(['undisturbed']);
      await first.stop();
    });

    it('whoever comes without the password', async () => {
      reuseCluster();
      const server = await start();
      const url = new URL(server.url);
      url.password = 'guessed';
      await expect(read(url.href)).rejects.toThrow(/password authentication failed/);
      await server.stop();
    });
  });

  describe('runs', () => {
    it('in UTF-8, whatever the locale', async () => {
      reuseCluster();
      const server = await start();
      await write(server.url, '公众号');
      expect(await read(server.url)).toEqual(['公众号']);
      await server.stop();
    });

    (asRoot ? it : it.skip)('as root under a folder that only root can enter', async () => {
      chmodSync(parent, 0o700);
      const server = await start();
      const elsewhere = spawnSync('readlink', [path.join(dataDir, 'elsewhere')], { encoding: 'utf8' }).stdout.trim();
      await write(server.url, 'kept');
      await server.stop();

      const again = await start();
      expect(await read(again.url)).toEqual(['kept']);
      await again.stop();
      expect(readdirSync(elsewhere)).toContain('server');
      rmSync(elsewhere, { recursive: true });
    });

    (asRoot && nobodyCanRunUs() ? it : it.skip)('as an ordinary user without a home', async () => {
      chownSync(parent, NOBODY, NOBODY);
      const server = await postgresProcess(dataDir, { uid: NOBODY });
      await write(server.url, 'kept');
      await server.stop();

      const asRootNow = await start();
      expect(await read(asRootNow.url)).toEqual(['kept']);
      await asRootNow.stop();
    });
  });
});

async function query(url: string, statement: string): Promise<{ word: string }[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return (await client.query<{ word: string }>(statement).finally(() => client.end())).rows;
}

async function write(url: string, word: string): Promise<void> {
  await query(url, `create table note (word text); insert into note values ('${word}')`);
}

async function read(url: string): Promise<string[]> {
  return (await query(url, 'select word from note')).map(({ word }) => word);
}

function makeFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'embedded-postgres-'));
  chmodSync(folder, 0o755);
  return folder;
}

/** A zombie has ended; that nobody has asked yet how is not our doing. */
function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0) && statOf(pid).state !== 'Z';
  } catch {
    return false;
  }
}

async function eventuallyGone(what: number | string): Promise<void> {
  const isThere = () => (typeof what === 'number' ? isAlive(what) : existsSync(what));
  for (const giveUpAt = Date.now() + 10_000; isThere(); await new Promise((resolve) => setTimeout(resolve, 20))) {
    if (Date.now() > giveUpAt) throw new Error(`${what} is still there after 10 s`);
  }
}

/** The keeper is the server's parent and leads its process group; all of the group goes except for the server. */
function killKeeperOf(server: number): void {
  const group = statOf(server).group;
  const members = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== server && statOf(pid).group === group);
  for (const pid of members.filter((member) => statOf(member).parent !== server)) process.kill(pid, 'SIGKILL');
}

function statOf(pid: number): { state?: string; parent?: number; group?: number } {
  if (!onLinux) return {};
  try {
    const [state, parent, group] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return { state, parent: Number(parent), group: Number(group) };
  } catch {
    return {};
  }
}

function nobodyCanRunUs(): boolean {
  const reading = `fs.accessSync(${JSON.stringify(__filename)})`;
  return spawnSync(process.execPath, ['--eval', reading], { uid: NOBODY, gid: NOBODY, cwd: '/' }).status === 0;
}
