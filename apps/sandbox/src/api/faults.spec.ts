import { eventually } from '../../test/eventually.js';
import { TestPlatform } from '../../test/platform.js';
import { createSandbox, type Sandbox } from '../create-sandbox.js';
import { FaultPlan } from './fault-plan.js';

const API = 'api_query_auth';

describe('injected faults', () => {
  let sandbox: Sandbox;
  let platform: TestPlatform;
  let code: string;

  beforeEach(async () => {
    sandbox = await createSandbox({ ticketEverySeconds: 0 });
    platform = new TestPlatform(sandbox);
    await platform.call('api_create_preauthcode');
    const [account] = sandbox.world.accounts.first(1);
    ({ code } = await sandbox.world.authorize(account?.appId ?? ''));
  });
  afterEach(() => sandbox.close());

  const exchange = (): Promise<object> => platform.call(API, { authorization_code: code });

  it('strike the API they name and no other, for the next calls only', async () => {
    sandbox.world.setFault({ kind: 'errcode', errcode: -1, path: API, times: 2 });
    expect(await platform.call('api_create_preauthcode')).toHaveProperty('pre_auth_code');
    expect(await exchange()).toMatchObject({
      errcode: -1,
      errmsg: expect.stringMatching(/^system error rid: /) as string,
    });
    expect(await exchange()).toMatchObject({ errcode: -1 });
    expect(await exchange()).toHaveProperty('authorization_info');
    expect(sandbox.world.counters.of(API)).toEqual({ calls: 3, successes: 1, errors: 0, faults: 2 });
  });

  it('answer HTTP 500', async () => {
    sandbox.world.setFault({ kind: 'http' });
    const response = await fetch(`${sandbox.url}/cgi-bin/component/${API}`, { method: 'POST' });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('errcode');
  });

  it('answer what nobody can parse', async () => {
    sandbox.world.setFault({ kind: 'garbage' });
    await expect(exchange()).rejects.toThrow(SyntaxError);
  });

  it('keep the caller waiting, then answer properly', async () => {
    sandbox.world.setFault({ kind: 'hang', ms: 60 });
    const started = performance.now();
    expect(await exchange()).toHaveProperty('authorization_info');
    expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  });

  it('break the connection before anything happened', async () => {
    sandbox.world.setFault({ kind: 'reset-before', times: 1 });
    await expect(exchange()).rejects.toThrow('fetch failed');
    expect(sandbox.world.counters.ofCode(code)).toEqual({ calls: 0, successes: 0 });
    expect(await exchange()).toHaveProperty('authorization_info');
  });

  it('lose the reply after everything happened', async () => {
    sandbox.world.setFault({ kind: 'reset-after', times: 1 });
    await expect(exchange()).rejects.toThrow('fetch failed');
    expect(sandbox.world.counters.ofCode(code)).toEqual({ calls: 1, successes: 1 });
    expect(await exchange()).toMatchObject({ errcode: 61009 });
  });

  it('do not keep a closing sandbox waiting', async () => {
    sandbox.world.setFault({ kind: 'hang', ms: 60_000 });
    const asked = exchange().catch(() => 'dropped');
    await eventually('the call to hang', () => sandbox.world.counters.of(API).calls > 0);
    await sandbox.close();
    expect(await asked).toBe('dropped');
  });

  it('are taken back one by one or all at once', async () => {
    const first = sandbox.world.setFault({ kind: 'http' });
    sandbox.world.setFault({ kind: 'errcode', errcode: 45009 });
    sandbox.world.faults.clear(first);
    expect(await exchange()).toMatchObject({ errcode: 45009 });
    sandbox.world.clearFaults();
    expect(await exchange()).toHaveProperty('authorization_info');
  });
});

describe('a fault with a probability', () => {
  const pattern = (seed: number): string => {
    const plan = new FaultPlan();
    plan.set({ kind: 'http', probability: 0.5, seed });
    return Array.from({ length: 200 }, () => (plan.strike('/any') ? 'x' : '.')).join('');
  };

  it('strikes at the same calls for the same seed, at others for another', () => {
    expect(pattern(7)).toBe(pattern(7));
    expect(pattern(7)).not.toBe(pattern(8));
  });

  it('strikes about as often as it says', () => {
    const struck = pattern(7).replaceAll('.', '').length;
    expect(struck).toBeGreaterThan(70);
    expect(struck).toBeLessThan(130);
  });
});
