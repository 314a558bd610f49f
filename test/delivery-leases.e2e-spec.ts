import { Injectable, Logger, type Provider, Scope } from '@nestjs/common';
import { type AnyEvent, type DeliveryContext, OnDomainEvent } from '@app/events';
import { Client } from 'pg';
import pino from 'pino';
import { createApp } from '../apps/api/src/create-app.js';
import { migrate } from '../apps/api/src/database.js';
import { type Subscription } from '../libs/events/src/on-domain-event.decorator.js';
import { type SubscriberHandler } from '../libs/events/src/subscriber-worker.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { MortalRelay } from './support/mortal-relay.js';
import { TestPlatform } from './support/platform.js';

const LEASE_SECONDS = 0.4;
/** Where it must be renewed in time: longer than a busy machine keeps a process from running. */
const LONG_LEASE_SECONDS = 5;

describe('a lease', () => {
  let database: TestDatabase;
  let control: Client;
  const relays: MortalRelay[] = [];

  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createDatabase();
    await migrate(database.url);
    control = new Client({ connectionString: database.url });
    await control.connect();
  });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    await control.query('truncate event, delivery');
  });
  afterAll(async () => {
    await control.end();
    await database.drop();
  });

  const startRelay = async (
    handler: SubscriberHandler,
    leaseSeconds = LEASE_SECONDS,
    { retryDelay = () => 0.01, types = ['*'] }: { retryDelay?: () => number; types?: Subscription['types'] } = {},
  ) => {
    const timing = { leaseSeconds, retryDelay };
    const relay = new MortalRelay({
      databaseUrl: database.url,
      componentAppId: 'wx0',
      timing,
      diesAfterSteps: null,
      onDeath: () => undefined,
    });
    relays.push(relay);
    await relay.start(new Map([[{ subscriber: 'lease.test', types, concurrency: 2 }, handler]]));
    return relay;
  };
  const publish = (authorizer = 'wx1') =>
    control.query(
      `with stored as (
         insert into event (id, component_app_id, type, authorizer_app_id, data, open_deliveries)
         values (gen_random_uuid(), 'wx0', 'wechat.unauthorized', $1, '{}', 1) returning position
       )
       insert into delivery (position, subscriber, component_app_id, authorizer_app_id)
       select position, 'lease.test', 'wx0', $1 from stored`,
      [authorizer],
    );
  /** As if a process that is no more had taken it. */
  const abandon = (authorizer: string, attempts: number) =>
    control.query(
      `update delivery set lease = gen_random_uuid(), attempts = $2, due_at = now() - interval '1 min' where authorizer_app_id = $1`,
      [authorizer, attempts],
    );
  /** As a transaction does that has ended its delivery, and then hangs. */
  const whileLocked = async (authorizer: string, work: () => Promise<void>) => {
    const hanging = new Client({ connectionString: database.url });
    await hanging.connect();
    await hanging.query('begin');
    await hanging.query('select from delivery where authorizer_app_id = $1 for update', [authorizer]);
    await work().finally(() => hanging.end());
  };
  const states = async () =>
    (await control.query<{ state: string; attempts: number }>('select state, attempts from delivery order by id')).rows;

  it('is renewed while a slow handler runs, and nobody else runs it meanwhile', async () => {
    const runs: string[] = [];
    const slow =
      (name: string) =>
      async (_event: AnyEvent, { signal }: DeliveryContext) => {
        runs.push(name);
        await new Promise((resolve) => setTimeout(resolve, LONG_LEASE_SECONDS * 1_300));
        expect(signal.aborted).toBe(false);
      };
    await startRelay(slow('a'), LONG_LEASE_SECONDS);
    await startRelay(slow('b'), LONG_LEASE_SECONDS);
    await publish();
    await eventually(async () => expect(await states()).toEqual([{ state: 'done', attempts: 1 }]));
    expect(runs).toHaveLength(1);
  });

  it('ends in the process itself when the database cannot be reached, before another takes over', async () => {
    const order: string[] = [];
    let started = () => undefined as void;
    const running = new Promise<void>((resolve) => (started = resolve));
    const cutOff = await startRelay((_event, { signal }) => {
      started();
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          order.push('aborted');
          reject(signal.reason as Error);
        });
      });
    });
    await publish();
    await running;
    cutOff.isCutOff = true;
    await startRelay((_event, { attempt }) => {
      order.push(`taken over at attempt ${attempt}`);
      return Promise.resolve();
    });
    await eventually(async () => expect(await states()).toEqual([{ state: 'done', attempts: 2 }]));
    expect(order).toEqual(['aborted', 'taken over at attempt 2']);
    cutOff.isCutOff = false;
  });

  it('that was lost while the database was away is not taken again beside the handler that has not noticed', async () => {
    let running = 0;
    let most = 0;
    const deaf = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, LEASE_SECONDS * 6_000));
      running -= 1;
    };
    await publish();
    const relay = await startRelay(deaf);
    await eventually(() => expect(running).toBe(1));
    relay.isCutOff = true;
    await eventually(async () =>
      expect((await control.query('select from delivery where due_at < now()')).rowCount).toBe(1),
    );
    relay.isCutOff = false;
    await eventually(async () => expect(await states()).toMatchObject([{ state: 'done' }]), 30_000);
    expect(most).toBe(1);
  }, 40_000);

  it('that somebody else holds by now is given up by the handler that held it', async () => {
    let reason: unknown;
    await startRelay(async (_event, { signal, attempt }) => {
      if (attempt > 1) return;
      await control.query('update delivery set lease = gen_random_uuid()');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reason = signal.reason;
      await control.query('update delivery set lease = null, due_at = now()');
    }, LONG_LEASE_SECONDS);
    await publish();
    await eventually(async () => expect(await states()).toEqual([{ state: 'done', attempts: 2 }]));
    expect(reason).toMatchObject({ message: 'Another process has taken this delivery over' });
  });

  it('whose row a hanging transaction has locked is not given up, and does not keep others from being renewed', async () => {
    let finish = () => undefined as void;
    const held = new Promise<void>((resolve) => (finish = resolve));
    const reasons: unknown[] = [];
    await publish('wx-hanging');
    await publish('wx-other');
    await startRelay((_event, { signal }) => {
      signal.addEventListener('abort', () => reasons.push((signal.reason as Error).message));
      return held;
    }, LONG_LEASE_SECONDS);
    const leasedUntil = async (authorizer: string) => {
      const { rows } = await control.query<{ due: string }>(
        `select due_at::text as due from delivery where authorizer_app_id = $1 and lease is not null`,
        [authorizer],
      );
      expect(rows).toHaveLength(1);
      return rows[0]!.due;
    };
    const renewed = async (authorizer: string) => {
      const until = await leasedUntil(authorizer);
      await eventually(async () => expect(await leasedUntil(authorizer)).not.toBe(until));
    };
    await eventually(async () => expect(await states()).toMatchObject([{ attempts: 1 }, { attempts: 1 }]));
    await whileLocked('wx-hanging', () => renewed('wx-other'));
    await renewed('wx-hanging');
    expect(reasons).not.toContain('Another process has taken this delivery over');
    finish();
  });

  it('that ran out and is locked does not keep others that ran out from being taken over', async () => {
    for (const authorizer of ['wx-hanging', 'wx-other']) {
      await publish(authorizer);
      await abandon(authorizer, 1);
    }
    await whileLocked('wx-hanging', async () => {
      await startRelay(() => Promise.resolve());
      await eventually(async () =>
        expect(await states()).toMatchObject([{ attempts: 1 }, { state: 'done', attempts: 2 }]),
      );
    });
    await eventually(async () => expect(await states()).toMatchObject([{ state: 'done' }, { state: 'done' }]));
  });

  it('that runs out again and again is taken over at once the first time, and then on the schedule of failures', async () => {
    await publish('wx-first');
    await abandon('wx-first', 1);
    await publish('wx-again');
    await abandon('wx-again', 2);
    await startRelay(() => Promise.resolve(), LEASE_SECONDS, { retryDelay: () => 3600 });
    await eventually(async () =>
      expect(await states()).toMatchObject([{ state: 'done' }, { state: 'waiting', attempts: 2 }]),
    );
    const { rows } = await control.query(
      `select lease, due_at > now() + interval '50 min' as "isLater" from delivery where authorizer_app_id = 'wx-again'`,
    );
    expect(rows).toEqual([{ lease: null, isLater: true }]);
  });

  it('is given back by a program that is not subscribed to such events, for another one to take', async () => {
    await startRelay(() => Promise.reject(new Error('It was handed over all the same')), LEASE_SECONDS, {
      types: ['authorizer.updated', 'wechat.authorized'],
    });
    await publish();
    await eventually(async () => {
      const { rows } = await control.query<{ last_error: string | null }>('select last_error from delivery');
      expect(rows[0]!.last_error).toContain('lease.test of this program is not subscribed to wechat.unauthorized');
    });
    await relays.pop()!.stop();
    await startRelay(() => Promise.resolve());
    await eventually(async () => expect(await states()).toMatchObject([{ state: 'done' }]));
  });

  it('that another took, of a delivery let go meanwhile, is left as it is by whoever finishes the one before', async () => {
    await publish();
    await publish();
    await control.query(`update delivery set lease = gen_random_uuid() where id = (select min(id) from delivery)`);
    await control.query(`update delivery set state = 'parked' where lease is null`);
    const other = new Client({ connectionString: database.url });
    await other.connect();
    await other.query('begin');
    await other.query(
      `update delivery set state = 'waiting', due_at = now() + interval '1 hour' where state = 'parked'`,
    );
    const finished = control.query(
      `select finish_delivery(id, lease, 'done', null) as finished from delivery where lease is not null`,
    );
    await eventually(async () => {
      await other.query('select pg_stat_clear_snapshot()'); // A transaction sees its first look again and again.
      const { rowCount } = await other.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%finish_delivery%'`,
      );
      expect(rowCount).toBe(1);
    });
    await other.query('commit');
    expect((await finished).rows).toEqual([{ finished: true }]);
    const { rows } = await other.query(
      `select due_at > now() + interval '50 min' as "isLater" from delivery where state = 'waiting'`,
    );
    expect(rows).toEqual([{ isLater: true }]);
    await other.end();
  });

  it('is kept for a handler that does not stop with its process, so that no other starts beside it', async () => {
    let finish = () => undefined as void;
    const stubborn = new Promise<void>((resolve) => (finish = resolve));
    let started = () => undefined as void;
    const running = new Promise<void>((resolve) => (started = resolve));
    const relay = await startRelay(() => (started(), stubborn));
    await publish();
    await running;
    const stopped = relay.stopWithin(50);
    await stopped;
    const { rows } = await control.query<{ held: boolean }>(
      'select lease is not null and due_at > now() as held from delivery',
    );
    expect(rows).toEqual([{ held: true }]);
    finish();
  });
});

describe('a start is refused', () => {
  @Injectable()
  class One {
    @OnDomainEvent('authorizer.updated', { subscriber: 'twice' })
    async hear(): Promise<void> {}
  }
  @Injectable()
  class Two {
    @OnDomainEvent('authorizer.unauthorized', { subscriber: 'twice' })
    async hear(): Promise<void> {}
  }
  @Injectable()
  class Unknown {
    @OnDomainEvent('authorizer.renamed' as '*', { subscriber: 'unknown' })
    async hear(): Promise<void> {}
  }

  @Injectable()
  class Idle {
    @OnDomainEvent('authorizer.updated', { subscriber: 'idle', concurrency: 0 })
    async hear(): Promise<void> {}
  }
  @Injectable()
  class Nameless {
    @OnDomainEvent('authorizer.updated', { subscriber: '' })
    async hear(): Promise<void> {}
  }
  @Injectable({ scope: Scope.REQUEST })
  class Scoped {
    @OnDomainEvent('authorizer.updated', { subscriber: 'scoped' })
    async hear(): Promise<void> {}
  }

  let t: TestPlatform;
  beforeAll(async () => {
    t = await TestPlatform.start({ ticket: false });
  });
  afterAll(async () => {
    await t.stop();
  });

  const startWith = async (...providers: Provider[]) => {
    const app = await createApp(t.env, pino({ level: 'silent' }), [{ module: class TestModule {}, providers }]);
    try {
      await app.init();
    } finally {
      await app.close();
    }
  };

  it('when two handlers share a subscriber name', async () => {
    await expect(startWith(One, Two)).rejects.toMatchObject({ code: 'DUPLICATE_SUBSCRIBER', detail: 'twice' });
  });

  it('when a handler asks for an event that there is not', async () => {
    await expect(startWith(Unknown)).rejects.toMatchObject({ code: 'UNKNOWN_EVENT_TYPE' });
  });

  it.each([
    ['handles none at once', Idle],
    ['has no name', Nameless],
  ])('when a subscriber %s', async (_what, provider) => {
    await expect(startWith(provider)).rejects.toMatchObject({ code: 'INVALID_SUBSCRIPTION' });
  });

  it('when a handler belongs to a provider that is made for each request', async () => {
    await expect(startWith(Scoped)).rejects.toMatchObject({ code: 'SCOPED_SUBSCRIBER', detail: 'scoped' });
  });

  it('when a method is to be two subscribers', () => {
    const declare = () => {
      class Double {
        @OnDomainEvent('authorizer.updated', { subscriber: 'one' })
        @OnDomainEvent('authorizer.authorized', { subscriber: 'other' })
        async hear(): Promise<void> {}
      }
      return Double;
    };
    expect(declare).toThrow('A method is one subscriber; give every @OnDomainEvent a method of its own: hear, for one');
  });
});
