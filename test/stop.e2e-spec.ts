import { connect } from 'node:net';
import { Client } from 'pg';
import { migrate } from '../apps/api/src/database.js';
import { createSandbox } from '../apps/sandbox/src/create-sandbox.js';
import { startApiProcess } from './support/api-process.js';
import { createDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { baseVariables, TestPlatform } from './support/platform.js';

describe('SIGTERM', () => {
  it('ends the process by itself within 10 s, although WeChat hangs, and loses no push that was answered', async () => {
    const database = await createDatabase();
    await migrate(database.url);
    const sandbox = await createSandbox({ ticketEverySeconds: 0 });
    const { world } = sandbox;
    const { credentials } = world;
    const { PORT: _, ...variables } = baseVariables(database.url, sandbox.url);
    const api = await startApiProcess({
      ...variables,
      NODE_ENV: 'production',
      WECHAT_COMPONENT_APP_ID: credentials.componentAppId,
      WECHAT_COMPONENT_APP_SECRET: credentials.componentAppSecret,
      WECHAT_TOKEN: credentials.token,
      WECHAT_ENCODING_AES_KEY: credentials.encodingAesKey,
    });
    world.pushes.url = `${api.url}/social/with/wechat/receiveEvent`;
    await world.pushTicket();
    world.setFault({ kind: 'hang', ms: 30_000 });

    let stopping: Promise<number | null> | null = null;
    const records = [];
    for (let i = 0; i < 60; i += 1) {
      const { appId } = world.addAccount({ kind: 'mini_program' });
      records.push(world.authorize(appId).then(({ push }) => ({ appId, push })));
      if (i === 30) stopping = api.stop();
      if (i % 10 === 9) await Promise.all(records);
    }
    expect(await stopping).toBe(0);
    const answered = await Promise.all(records);
    const accepted = answered.filter(({ push }) => push?.accepted).map(({ appId }) => appId);
    expect(accepted.length).toBeGreaterThanOrEqual(30);
    expect(answered.filter(({ push }) => push?.status !== null && !push?.accepted)).toEqual([]);

    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<{ authorizer_app_id: string }>(
      "select authorizer_app_id from event where type = 'wechat.authorized'",
    );
    const { rows: longLeases } = await client.query(
      "select due_at from delivery where lease is not null and due_at > now() + interval '5 s'",
    );
    await client.end();
    expect(rows.map((row) => row.authorizer_app_id).sort()).toEqual(accepted.sort());
    // What hangs was given back: another replica need not wait for the full lease of 30 s.
    expect(longLeases).toEqual([]);
    await sandbox.close();
    await database.drop();
  }, 90_000);
});

describe('closing', () => {
  it('does not wait for a connection that answered meanwhile and is kept alive', async () => {
    const t = await TestPlatform.start({ ticket: false });
    const { hostname, port } = new URL(t.url);
    let heard = '';
    const socket = connect(Number(port), hostname).on('data', (chunk) => (heard += chunk.toString()));
    const headers = ['host: x', 'content-type: text/xml', 'content-length: 6', 'expect: 100-continue'];
    socket.write(`POST /social/with/wechat/receiveEvent HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
    await eventually(() => expect(heard).toMatch(/^HTTP\/1\.1 100 /));
    // Without help it would end when the connection does: 72 s after its last answer.
    const closed = t.app.close();
    await eventually(() => expect(t.app.getHttpServer().listening).toBe(false));
    socket.write('<xml/>');
    await eventually(() => expect(heard).toMatch(/HTTP\/1\.1 400 .*connection: keep-alive/is));
    await closed;
    await t.stop();
  }, 60_000);
});
