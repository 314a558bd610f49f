import { createSandbox, type Sandbox } from '../apps/sandbox/src/create-sandbox.js';
import { migrate } from '../apps/api/src/database.js';
import { type ApiProcess, startApiProcess } from './support/api-process.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { baseVariables, KEYS } from './support/platform.js';
import { Client } from 'pg';

const BURST = 500;
const PATH = '/social/with/wechat/receiveEvent';

interface Listed {
  items: { appId: string; status: string; attention: string | null; credential: { status: string } }[];
  nextCursor: string | null;
}

/** Two replicas on one database; whichever lives is pushed to. */
describe('a burst of authorizations through two replicas that are killed in the middle', () => {
  let sandbox: Sandbox;
  let database: TestDatabase;
  let variables: Record<string, string>;
  let replicas: ApiProcess[];
  beforeAll(async () => {
    database = await createDatabase();
    await migrate(database.url);
    sandbox = await createSandbox({ ticketEverySeconds: 0 });
    const { credentials } = sandbox.world;
    variables = {
      ...baseVariables(database.url, sandbox.url),
      NODE_ENV: 'production',
      WECHAT_COMPONENT_APP_ID: credentials.componentAppId,
      WECHAT_COMPONENT_APP_SECRET: credentials.componentAppSecret,
      WECHAT_TOKEN: credentials.token,
      WECHAT_ENCODING_AES_KEY: credentials.encodingAesKey,
    };
    delete variables.PORT;
    replicas = await Promise.all([startApiProcess(variables), startApiProcess(variables)]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.kill()));
    await sandbox.close();
    await database.drop();
  });

  it('loses no push it answered with success, settles every authorizer, and exchanges no code twice', async () => {
    const { world } = sandbox;
    world.pushes.url = `${replicas[0]!.url}${PATH}`;
    expect(await world.pushTicket()).toMatchObject([{ accepted: true }]);
    for (const kind of ['reset-after', 'reset-before', 'http'] as const)
      world.setFault({ kind, probability: 1 / 9, seed: 7 });

    const codes = new Map<string, string>();
    const accepted = new Set<string>();
    const refused: unknown[] = [];
    const pushAll = async (from: number, to: number) => {
      for (let i = from; i < to; i += 1) {
        const { appId } = world.addAccount({ kind: i % 2 ? 'mini_program' : 'service_account' });
        world.pushes.url = `${replicas[i % 2]!.url}${PATH}`;
        const { code, push: first } = await world.authorize(appId);
        let push = first;
        for (let again = 0; !push?.accepted && again < 3; again += 1) {
          world.pushes.url = `${replicas[(i + again + 1) % 2]!.url}${PATH}`;
          push = await world.repeatResealed(push!.id);
        }
        codes.set(appId, code);
        if (push?.accepted) accepted.add(appId);
        else refused.push({ i, ...push, xml: null, replicas: replicas.map((replica) => replica.output().slice(-300)) });
      }
    };
    const restart = async (which: number) => {
      await replicas[which]!.kill();
      replicas[which] = await startApiProcess(variables);
    };
    const steps = [0, 100, 220, 360, BURST];
    for (const [step, which] of [0, 1, 0, 1].entries()) {
      await Promise.all([pushAll(steps[step]!, steps[step + 1]!), restart(which)]);
    }
    expect(refused.slice(0, 3)).toEqual([]);
    expect(accepted.size).toBe(BURST);

    world.clearFaults();
    await eventually(async () => {
      const wrong = (await allAuthorizers(replicas[0]!.url)).filter(
        ({ status, credential }) => status !== 'authorized' || credential.status !== 'valid',
      );
      expect(wrong.slice(0, 3)).toEqual([]);
    }, 240_000);
    expect(new Set((await allAuthorizers(replicas[1]!.url)).map(({ appId }) => appId))).toEqual(accepted);
    const exchanged = [...codes.values()].map((code) => world.counters.ofCode(code).successes);
    expect(Math.max(...exchanged)).toBe(1);
    // WeChat refuses a code it has seen: had one been sent again after its success, this would count it.
    expect(world.counters.of('/cgi-bin/component/api_query_auth').errors).toBe(0);
    await eventually(async () => expect(await unsettled()).toEqual([]), 60_000);
  }, 480_000);

  const allAuthorizers = async (url: string) => {
    const items: Listed['items'] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query = new URLSearchParams({ limit: '200', ...(cursor && { cursor }) });
      const headers = { authorization: `Bearer ${KEYS.viewer}` };
      const response = await fetch(`${url}/admin/wechat/authorizers?${query.toString()}`, { headers });
      const page = (await response.json()) as Listed;
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    return items;
  };
  const unsettled = async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query(
      "select type, status from event where status not in ('processed', 'superseded') limit 3",
    );
    await client.end();
    return rows as unknown[];
  };
});
