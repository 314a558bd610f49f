import { randomBytes, randomUUID } from 'node:crypto';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type AsyncMessage, Connection } from 'rabbitmq-client';
import { AmqpBroker } from '../libs/broker/src/amqp-broker.js';
import { NatsBroker } from '../libs/broker/src/nats-broker.js';
import { answers } from './support/answers.js';
import { runProgram } from './support/api-process.js';
import { eventually } from './support/eventually.js';
import { TestPlatform } from './support/platform.js';
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.js';

const NATS = process.env.TEST_NATS_URL ?? 'nats://127.0.0.1:4222';
const AMQP = process.env.TEST_AMQP_URL ?? 'amqp://guest:guest@127.0.0.1:5672';
const STREAM = 'WECHAT_EVENTS';

const newInfoType = () => `broker_test_${randomBytes(6).toString('hex')}`;

/** The URL of a broker behind a wire that can be cut. */
function through(url: string, { port }: TcpProxy): string {
  const behind = new URL(url);
  behind.hostname = '127.0.0.1';
  behind.port = String(port);
  return behind.href;
}

async function proxyTo(url: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(url);
  return startTcpProxy({ host: hostname, port: Number(port) });
}

async function eventOf(t: TestPlatform, infoType: string) {
  const [event] = await t.query<{ id: string; status: string }>('select id, status from event where type = $1', [
    `wechat.${infoType}`,
  ]);
  return event!;
}

const expected = (t: TestPlatform, infoType: string, id: string) => ({
  specversion: '1.0' as const,
  id,
  source: `/wechat/components/${t.env.platform.appId}`,
  type: `wechat.${infoType}`,
  subject: 'wx00broker',
  datacontenttype: 'application/json' as const,
  data: { InfoType: infoType, appid: 'wx00broker' },
});

(answers(NATS) ? describe : describe.skip)('with NATS as broker, an event', () => {
  let t: TestPlatform;
  let proxy: TcpProxy;
  let nats: NatsConnection;
  let manager: JetStreamManager;
  beforeAll(async () => {
    [proxy, nats] = await Promise.all([proxyTo(NATS), connect({ servers: new URL(NATS).host })]);
    manager = await jetstreamManager(nats);
    t = await TestPlatform.start({ variables: { EVENT_BROKER_URL: through(NATS, proxy) }, ticket: false });
  });
  afterAll(async () => {
    await t.stop();
    await Promise.all([proxy.close(), nats.close()]);
  });

  const messagesOf = async (infoType: string) => {
    const subject = `wechat.events.wechat.${infoType}`;
    const { state } = await manager.streams.info(STREAM, { subjects_filter: subject });
    return state.subjects?.[subject] ?? 0;
  };
  const lastOf = (infoType: string) =>
    eventually(async () => {
      const last = await manager.streams.getMessage(STREAM, { last_by_subj: `wechat.events.wechat.${infoType}` });
      if (!last) throw new Error('There is no message yet');
      return last;
    });

  it('is in the stream as a CloudEvent, with its attributes as headers', async () => {
    const infoType = newInfoType();
    await t.sandbox.world.pushEvent(infoType, { appid: 'wx00broker' });
    const message = await lastOf(infoType);
    const { id } = await eventOf(t, infoType);
    expect(message.json()).toMatchObject(expected(t, infoType, id));
    expect(message.header.get('Nats-Msg-Id')).toBe(id);
    expect(message.header.get('content-type')).toBe('application/cloudevents+json; charset=UTF-8');
    expect(message.header.get('ce-type')).toBe(`wechat.${infoType}`);
    expect(message.header.get('ce-source')).toBe(`/wechat/components/${t.env.platform.appId}`);
  });

  it('is in the stream once, also when it is delivered again', async () => {
    const infoType = newInfoType();
    await t.sandbox.world.pushEvent(infoType, { appid: 'wx00broker' });
    await lastOf(infoType);
    const { id } = await eventOf(t, infoType);
    await eventually(async () => expect(await eventOf(t, infoType)).toMatchObject({ status: 'processed' }));
    await t.post(`/admin/wechat/events/${id}/replay`, { subscribers: ['broker'] });
    await eventually(async () => expect(await eventOf(t, infoType)).toMatchObject({ status: 'processed' }));
    expect(await messagesOf(infoType)).toBe(1);
  });

  it('waits while the broker is away, which is said in one line, and comes once it is back', async () => {
    const infoType = newInfoType();
    proxy.become('cut');
    await eventually(() => expect(t.logs.join('')).toContain('NATS cannot be reached'));
    expect(await t.sandbox.world.pushEvent(infoType, { appid: 'wx00broker' })).toMatchObject({ accepted: true });
    expect((await t.get('/health/ready', null)).status).toBe(200);
    expect(await eventOf(t, infoType)).toMatchObject({ status: 'received' });
    proxy.become('open');
    await lastOf(infoType);
    await eventually(() => expect(t.logs.join('')).toContain('NATS is back'));
    expect(t.logs.filter((line) => line.includes('NATS cannot be reached'))).toHaveLength(1);
  });

  it('waits while the broker is away without using up an attempt, and comes in order', async () => {
    const infoTypes = [newInfoType(), newInfoType(), newInfoType()];
    proxy.become('cut');
    await eventually(() => expect(t.logs.filter((line) => line.includes('NATS cannot be reached'))).toHaveLength(2));
    for (const infoType of infoTypes) await t.sandbox.world.pushEvent(infoType, { appid: 'wx00ordered' });
    const deliveries = () =>
      t.query(
        `select state, attempts from delivery where subscriber = 'broker' and authorizer_app_id = 'wx00ordered' order by position`,
      );
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    proxy.become('open');
    await eventually(async () =>
      expect(await deliveries()).toEqual(infoTypes.map(() => ({ state: 'done', attempts: 1 }))),
    );
    const places = await Promise.all(infoTypes.map(async (infoType) => (await lastOf(infoType)).seq));
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('comes also when its stream was removed meanwhile: the stream is made again', async () => {
    await manager.streams.delete(STREAM);
    const infoType = newInfoType();
    await t.sandbox.world.pushEvent(infoType, { appid: 'wx00broker' });
    await eventually(async () => expect(await eventOf(t, infoType)).toMatchObject({ status: 'processed' }));
    await lastOf(infoType);
  });

  it('goes out by a new connection when the old one was closed for good', async () => {
    const broker = new NatsBroker(NATS);
    const publish = (id: string) =>
      broker.publish(
        { ...expected(t, newInfoType(), id), time: new Date().toISOString() },
        AbortSignal.timeout(20_000),
      );
    try {
      await publish(randomUUID());
      await (Reflect.get(broker, 'connection') as NatsConnection).close();
      await eventually(() => publish(randomUUID()));
    } finally {
      await broker.close();
    }
  });

  it('waits where a replica is started without the broker, until the subscription is ended on purpose', async () => {
    proxy.become('cut');
    const infoType = newInfoType();
    await t.stopApp();
    t.useVariables({ EVENT_BROKER_URL: '' });
    await t.startApp();
    await t.sandbox.world.pushEvent(infoType, { appid: 'wx00broker' });
    const states = () =>
      t.query(`select e.status, d.state from event e left join delivery d using (position) where e.type = $1`, [
        `wechat.${infoType}`,
      ]);
    expect(await states()).toEqual([{ status: 'received', state: 'waiting' }]);
    expect(t.logs.join('')).toContain('Subscriber broker is registered but not in this program');

    const { code, output } = await runProgram('apps/api/src/remove-subscriber.cli.ts', ['broker'], {
      DATABASE_URL: t.database.url,
      WECHAT_COMPONENT_APP_ID: t.env.platform.appId,
    });
    expect({ code, output: output.split(';')[0] }).toEqual({ code: 0, output: 'broker is told of nothing any more' });
    expect(await states()).toEqual([{ status: 'processed', state: null }]);
    expect(await t.query(`select from subscriber where name = 'broker'`)).toEqual([]);
  }, 60_000);
});

(answers(AMQP) ? describe : describe.skip)('with RabbitMQ as broker, an event', () => {
  let t: TestPlatform;
  let proxy: TcpProxy;
  let rabbit: Connection;
  const received: AsyncMessage[] = [];
  beforeAll(async () => {
    proxy = await proxyTo(AMQP);
    rabbit = new Connection(AMQP);
    rabbit.on('error', () => undefined);
    const consumer = rabbit.createConsumer(
      {
        queue: `test-${randomBytes(6).toString('hex')}`,
        queueOptions: { exclusive: true },
        exchanges: [{ exchange: 'wechat.events', type: 'topic', durable: true }],
        queueBindings: [{ exchange: 'wechat.events', routingKey: 'wechat.#' }],
      },
      (message) => void received.push(message),
    );
    await new Promise((resolve) => consumer.once('ready', resolve));
    proxy.become('cut');
    t = await TestPlatform.start({ variables: { EVENT_BROKER_URL: through(AMQP, proxy) }, ticket: false });
  });
  afterAll(async () => {
    await t.stop();
    rabbit.unsafeDestroy();
    await proxy.close();
  });

  const messageOf = (infoType: string) =>
    eventually(() => {
      const message = received.find(({ routingKey }) => routingKey === `wechat.${infoType}`);
      if (!message) throw new Error(`Received only ${received.map(({ routingKey }) => routingKey).join()}`);
      return message;
    });

  it('waits from the start on where the broker is away, and comes once it is there', async () => {
    const infoType = newInfoType();
    await t.sandbox.world.pushEvent(infoType, { appid: 'wx00broker' });
    expect(await eventOf(t, infoType)).toMatchObject({ status: 'received' });
    proxy.become('open');
    expect(await messageOf(infoType)).toBeDefined();
    expect(t.logs.filter((line) => line.includes('RabbitMQ cannot be reached'))).toHaveLength(1);
  });

  it('is a persistent CloudEvent in the topic exchange, with its attributes as headers', async () => {
    const infoType = newInfoType();
    await t.sandbox.world.pushEvent(infoType, { appid: 'wx00broker' });
    const message = await messageOf(infoType);
    const { id } = await eventOf(t, infoType);
    expect(JSON.parse(String(message.body))).toMatchObject(expected(t, infoType, id));
    expect(message).toMatchObject({
      messageId: id,
      durable: true,
      contentType: 'application/cloudevents+json; charset=UTF-8',
      headers: { 'cloudEvents:id': id, 'cloudEvents:type': `wechat.${infoType}`, 'cloudEvents:specversion': '1.0' },
    });
    await eventually(async () => expect(await eventOf(t, infoType)).toMatchObject({ status: 'processed' }));
  });

  it('goes out though RabbitMQ has closed a channel, which is no lost connection', async () => {
    const broker = new AmqpBroker(AMQP);
    const publish = () =>
      broker.publish(
        { ...expected(t, newInfoType(), randomUUID()), time: new Date().toISOString() },
        AbortSignal.timeout(20_000),
      );
    try {
      await publish();
      (Reflect.get(broker, 'connection') as Connection).emit('error', new Error('a channel was closed'));
      await publish();
    } finally {
      await broker.close();
    }
  });

  it('that no queue wants is done, and its type is logged', async () => {
    rabbit.unsafeDestroy();
    const infoType = newInfoType();
    await eventually(async () => {
      await t.sandbox.world.pushEvent(infoType, { appid: `wx${randomBytes(4).toString('hex')}` });
      expect(t.logs.join('')).toContain(`No queue is bound to wechat.events for wechat.${infoType}`);
    });
    await eventually(async () => expect(await eventOf(t, infoType)).toMatchObject({ status: 'processed' }));
  });
});
