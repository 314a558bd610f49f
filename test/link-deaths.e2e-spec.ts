import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type DeliveryContext, type DomainEventOf, EventOutbox } from '@app/events';
import pino from 'pino';
import { createApp } from '../apps/api/src/create-app.js';
import { AuthorizationListener } from '../libs/authorizer/src/authorization.listener.js';
import { AuthorizationLinks } from '../libs/authorizer/src/links/authorization-links.service.js';
import { ReturnedCodeListener } from '../libs/authorizer/src/links/returned-code.listener.js';
import { ReturnedCodes } from '../libs/authorizer/src/links/returned-codes.js';
import { Merchant } from './support/merchant.js';
import { MortalWork } from './support/mortal-work.js';
import { TestPlatform } from './support/platform.js';

const NO_WISH = { authType: null, requestedAppId: null, permissionIds: [], returnUrl: null };

/** A merchant on the way home, and what came of it. */
interface Homecoming {
  readonly appId: string;
  readonly code: string;
  readonly tenantId: string;
  readonly returnedCodeId: string;
}

/** The application without the process: nothing is delivered by itself, so every attempt is the test's, and dies where that says. */
describe('the work on a code that came home with a browser, killed after each of its steps', () => {
  let t: TestPlatform;
  let app: NestFastifyApplication;
  let mortal: MortalWork;
  let position = 1_000_000n;
  beforeAll(async () => {
    t = await TestPlatform.start();
    await new Merchant(t).createLink();
    await t.stopApp();
    app = await createApp(t.env, pino({ level: 'silent' }));
    app.get(EventOutbox).open();
    mortal = new MortalWork(app);
  });
  afterEach(() => t.sandbox.world.clearFaults());
  afterAll(async () => {
    await app.close();
    await t.stop();
  });

  const delivery = (attempt: number): DeliveryContext => ({
    position: position++,
    attempt,
    signal: new AbortController().signal,
    transaction: (work) => app.get(EventOutbox).transaction(work),
    supersede: () => undefined,
  });

  async function comeHome(code: (appId: string) => string): Promise<Homecoming> {
    const { appId } = t.sandbox.world.addAccount({ kind: 'mini_program' });
    const tenantId = `tenant of ${appId}`;
    const { link } = await app.get(AuthorizationLinks).create({ ...NO_WISH, tenantId, state: null }, 'operator');
    const brought = code(appId);
    const returnedCodeId = await app.get(ReturnedCodes).accept(brought, link.id, () => undefined);
    return { appId, code: brought, tenantId, returnedCodeId };
  }

  const attempt = (home: Homecoming, number: number) =>
    app.get(ReturnedCodeListener).exchange(
      {
        id: home.returnedCodeId,
        type: 'internal.code_returned',
        time: new Date().toISOString(),
        componentAppId: t.env.platform.appId,
        authorizerAppId: null,
        data: { returnedCodeId: home.returnedCodeId },
      },
      delivery(number),
    );

  /** Later attempts, each long after the one before, until the code is settled. */
  async function settle(home: Homecoming): Promise<string> {
    for (let number = 2; number < 8; number++) {
      await t.query(`update code_exchange set sent_at = sent_at - interval '1 minute'`);
      await attempt(home, number).catch(() => undefined);
      const returned = await app.get(ReturnedCodes).find(home.returnedCodeId);
      if (returned?.outcome) return returned.outcome;
    }
    throw new Error('The code was never settled');
  }

  /** The push of the authorization, without its pre-auth code: only the code tells which link it came by. */
  async function pushed({ appId, code }: Homecoming): Promise<DomainEventOf<'wechat.authorized'>> {
    const event = await app.get(EventOutbox).publishPush({
      componentAppId: t.env.platform.appId,
      infoType: 'authorized',
      authorizerAppId: appId,
      createTime: new Date(),
      fields: { AuthorizerAppid: appId },
      secrets: { AuthorizationCode: code },
      failure: null,
      content: `the push of ${appId}`,
    });
    return event as DomainEventOf<'wechat.authorized'>;
  }

  async function handle(event: DomainEventOf<'wechat.authorized'>): Promise<void> {
    for (let number = 2; number < 8; number++) {
      await t.query(`update code_exchange set sent_at = sent_at - interval '1 minute'`);
      const error = await app
        .get(AuthorizationListener)
        .exchange(event, delivery(number))
        .catch((error: unknown) => error);
      if (error === undefined) return;
    }
    throw new Error('The push was never handled');
  }

  const push = async (home: Homecoming) => handle(await pushed(home));
  const record = ({ appId }: Homecoming) =>
    t.query(
      `select status, tenant_id, (select count(*)::int from link_binding b where b.app_id = a.app_id) as links
       from authorizer a where app_id = $1`,
      [appId],
    );

  /** Does the same again and again, each time with another merchant, who dies one step later, until one lives. */
  async function dieAtEveryStep(story: (steps: number) => Promise<boolean>): Promise<number> {
    for (let steps = 0; ; steps++) if (!(await story(steps))) return steps;
  }

  const standing = (home: Homecoming) => app.get(ReturnedCodes).await(home.returnedCodeId, 0);
  const calls = ({ code }: Homecoming) => t.sandbox.world.counters.ofCode(code);
  const granted = (appId: string) => t.sandbox.world.grant(appId, { push: false }).redirectCode;

  it('sends it once; where nobody can know what WeChat made of it, the push settles it and its link', async () => {
    const homes: Homecoming[] = [];
    const outcomes: string[] = [];
    await dieAtEveryStep(async (steps) => {
      const home = await comeHome(granted);
      const hasDied = await mortal.diesAfter(steps, () => attempt(home, 1));
      homes.push(home);
      outcomes.push(await settle(home));
      return hasDied;
    });
    // Until it is sure that the code is sent, a death costs nothing; once its tokens are stored, neither.
    expect(outcomes.join(' ')).toMatch(/^(authorized )+(lost )+(authorized ?)+$/);
    for (const [index, home] of homes.entries()) {
      expect(calls(home).calls).toBeLessThanOrEqual(1);
      if (outcomes[index] === 'lost') expect(await standing(home)).toEqual({ appId: null, outcome: 'lost' });
      await push(home);
      expect(await standing(home)).toEqual({ appId: home.appId, outcome: 'authorized' });
      expect(calls(home)).toEqual({ calls: 1, successes: 1 });
      expect(await record(home)).toEqual([{ status: 'authorized', tenant_id: home.tenantId, links: 1 }]);
    }
  }, 120_000);

  it('says that WeChat refused it where WeChat did, and never of a code that WeChat took', async () => {
    const outcomes: string[] = [];
    await dieAtEveryStep(async (steps) => {
      const home = await comeHome((appId) => `queryauthcode@@@forged-for-${appId}`);
      const hasDied = await mortal.diesAfter(steps, () => attempt(home, 1));
      outcomes.push(await settle(home));
      expect(calls(home).calls).toBeLessThanOrEqual(1);
      return hasDied;
    });
    expect(outcomes.join(' ')).toMatch(/^(refused )+(lost )+(refused ?)+$/);
  }, 60_000);

  it('has nothing to do for a code that was removed for its age', async () => {
    const home = await comeHome(granted);
    await t.query('delete from returned_code where id = $1', [home.returnedCodeId]);
    await attempt(home, 1);
    expect(calls(home).calls).toBe(0);
  });

  it('leaves it to the push to send it again, which asks WeChat first, and may die at any step too', async () => {
    await dieAtEveryStep(async (steps) => {
      const home = await comeHome(granted);
      t.sandbox.world.setFault({ kind: 'http', status: 502, path: 'api_query_auth', times: 1 });
      expect(await settle(home)).toBe('lost');
      const event = await pushed(home);
      const hasDied = await mortal.diesAfter(steps, () => app.get(AuthorizationListener).exchange(event, delivery(1)));
      expect((await standing(home)).outcome).not.toBe('refused');
      await handle(event);
      expect(await standing(home)).toEqual({ appId: home.appId, outcome: 'authorized' });
      expect(calls(home).successes).toBe(1);
      expect(await record(home)).toEqual([{ status: 'authorized', tenant_id: home.tenantId, links: 1 }]);
      return hasDied;
    });
  }, 120_000);
});
