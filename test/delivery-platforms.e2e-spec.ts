import { Injectable } from '@nestjs/common';
import { type AnyEvent, EventOutbox, OnDomainEvent } from '@app/events';
import { runProgram } from './support/api-process.js';
import { eventually } from './support/eventually.js';
import { TestPlatform } from './support/platform.js';

const TYPE = 'authorizer.attention_required';

@Injectable()
class Neighbour {
  readonly heard: AnyEvent[] = [];

  @OnDomainEvent(TYPE, { subscriber: 'test.neighbour' })
  async hear(event: AnyEvent): Promise<void> {
    this.heard.push(event);
    return Promise.resolve();
  }
}

@Injectable()
class NeighbourOfOne {
  @OnDomainEvent(TYPE, { subscriber: 'test.of_one' })
  async hear(): Promise<void> {}
}

describe('two platforms over one database', () => {
  let one: TestPlatform;
  let two: TestPlatform;
  beforeAll(async () => {
    one = await TestPlatform.start({ providers: [Neighbour, NeighbourOfOne], ticket: false });
    two = await TestPlatform.start({
      providers: [Neighbour],
      ticket: false,
      through: () => one.database.url,
      variables: { WECHAT_COMPONENT_APP_ID: 'wx2222222222222222' },
    });
  });
  afterAll(async () => {
    await two.stop();
    await one.stop();
  });

  /** Wherever it is published from, an event belongs to the platform that it names. */
  const publish = async (about: TestPlatform, authorizerAppId: string, from = about) => {
    const outbox = from.app.get(EventOutbox, { strict: false });
    const data = { attention: 'profile_unavailable' } as const;
    const componentAppId = about.env.platform.appId;
    await outbox.transaction((tx) => outbox.publish(tx, { type: TYPE, componentAppId, authorizerAppId, data }));
  };
  const deliveriesOf = (authorizer: string) =>
    one.query<{ id: string; event: string; component: string; subscriber: string; state: string; attempts: number }>(
      `select d.id::text, e.id as event, d.component_app_id as component, d.subscriber, d.state, d.attempts
       from delivery d join event e using (position) where d.authorizer_app_id = $1 and d.subscriber like 'test.%'
       order by d.subscriber`,
      [authorizer],
    );
  const done = (authorizer: string) =>
    eventually(async () => {
      const rows = await deliveriesOf(authorizer);
      expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['done']));
      return rows;
    });
  const heardBy = (t: TestPlatform) =>
    t.app.get(Neighbour, { strict: false }).heard.map(({ authorizerAppId }) => authorizerAppId);

  it('tell their own subscribers, also where both have one of that name', async () => {
    await publish(one, 'wx-of-one');
    await publish(two, 'wx-of-two');
    expect((await done('wx-of-one')).map(({ subscriber }) => subscriber)).toEqual(['test.neighbour', 'test.of_one']);
    expect((await done('wx-of-two')).map(({ subscriber }) => subscriber)).toEqual(['test.neighbour']);
    expect([heardBy(one), heardBy(two)]).toEqual([['wx-of-one'], ['wx-of-two']]);
    expect(one.logs.join('') + two.logs.join('')).not.toContain('is registered but not in this program');
  });

  it('leave what waits for the other, and a lease of the other that has run out, as it is', async () => {
    await one.stopApp();
    await publish(one, 'wx-left', two);
    await publish(one, 'wx-left-leased', two);
    // Of one that runs out for each: once that of platform two has been noticed, the other was passed over.
    await publish(two, 'wx-own');
    await done('wx-own');
    await one.query(
      `update delivery set lease = gen_random_uuid(), due_at = now() - interval '1 min', state = 'waiting', finished_at = null
       where authorizer_app_id in ('wx-left-leased', 'wx-own') and subscriber = 'test.neighbour'`,
    );
    await one.query(
      `update event set open_deliveries = open_deliveries + 1, processed_at = null where authorizer_app_id = 'wx-own'`,
    );
    await done('wx-own');
    expect(heardBy(two).filter((authorizer) => authorizer === 'wx-own')).toHaveLength(2);
    expect(await deliveriesOf('wx-left')).toMatchObject([{ state: 'waiting', attempts: 0 }, { state: 'waiting' }]);
    const held = `select from delivery where authorizer_app_id = 'wx-left-leased' and lease is not null`;
    expect(await one.query(held)).toHaveLength(1);
    expect(heardBy(two)).not.toContain('wx-left');
    await one.startApp();
    await done('wx-left');
    await done('wx-left-leased');
  });

  it('neither show nor count nor repeat what is of the other', async () => {
    await publish(one, 'wx-private');
    const [delivery] = await done('wx-private');
    await one.query(`update delivery set state = 'dead' where id = $1`, [delivery!.id]);
    await one.query(`update event set dead_deliveries = 1 where id = $1`, [delivery!.event]);
    const deadOf = async (t: TestPlatform) =>
      (await t.get<{ items: { id: string }[] }>('/admin/wechat/deliveries?status=dead')).body.items.map(({ id }) => id);
    expect([await deadOf(one), await deadOf(two)]).toEqual([[delivery!.id], []]);
    const countOf = async (t: TestPlatform) =>
      (await t.get<{ deadDeliveries: number }>('/admin/wechat/platform')).body.deadDeliveries;
    expect([await countOf(one), await countOf(two)]).toEqual([1, 0]);
    expect((await two.post(`/admin/wechat/deliveries/${delivery!.id}/retry`)).status).toBe(404);
    expect((await two.post(`/admin/wechat/events/${delivery!.event}/replay`)).status).toBe(404);
    expect((await two.post('/admin/wechat/deliveries/retry', { subscriber: 'test.neighbour' })).body).toEqual({
      deliveries: 0,
    });
    expect((await deliveriesOf('wx-private'))[0]).toMatchObject({ state: 'dead' });
  });

  it('replay to subscribers of their own alone', async () => {
    await publish(two, 'wx-replayed');
    const [delivery] = await done('wx-replayed');
    const replay = (subscriber: string) =>
      two.post(`/admin/wechat/events/${delivery!.event}/replay`, { subscribers: [subscriber] });
    expect(await replay('test.of_one')).toMatchObject({ status: 400, body: { code: 'UNKNOWN_SUBSCRIBER' } });
    expect(await replay('test.neighbour')).toMatchObject({ status: 202, body: { deliveries: 1 } });
  });

  it('end a subscription without touching the one of the same name', async () => {
    await two.stopApp();
    await publish(two, 'wx-dropped', one);
    const remove = (subscriber: string) =>
      runProgram('apps/api/src/remove-subscriber.cli.ts', [subscriber], {
        DATABASE_URL: one.database.url,
        WECHAT_COMPONENT_APP_ID: one.env.platform.appId,
      });
    expect(await remove('test.neighbour')).toMatchObject({ code: 0 });
    const [told] = await deliveriesOf('wx-of-one');
    // To test.of_one and to authorizer.profile, which heard of it too.
    expect((await one.post(`/admin/wechat/events/${told!.event}/replay`)).body).toEqual({ deliveries: 2 });
    expect(await remove('test.nobody')).toMatchObject({
      code: 1,
      output: `Nothing was removed: ${one.env.platform.appId} has no subscriber test.nobody\n`,
    });
    const left = await one.query(`select component_app_id as component from subscriber where name = 'test.neighbour'`);
    expect(left).toEqual([{ component: two.env.platform.appId }]);
    expect(await deliveriesOf('wx-dropped')).toMatchObject([{ state: 'waiting' }]);
    await two.startApp();
    await done('wx-dropped');
  }, 60_000);
});
