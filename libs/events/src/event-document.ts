import { z } from 'zod';
import { domainEvents, type PublicEventType } from './domain-events.js';
import { eventExamples } from './event-examples.js';

/** The event around its data, as other services receive it. */
const envelope = z.object({
  specversion: z.literal('1.0'),
  id: z.string().describe('The same at every delivery'),
  source: z.string().describe('/wechat/components/ and the appid of the component'),
  type: z.string(),
  subject: z.string().optional().describe('The appid of the authorizer; absent where the platform itself is meant'),
  time: z.iso.datetime().describe("WeChat's CreateTime for a push that has one, else when it was stored"),
  datacontenttype: z.literal('application/json'),
});

/** Every published event as an AsyncAPI 3 document, made from the schemas that type the code. */
export function describeEvents(version: string) {
  const types = Object.keys(domainEvents) as PublicEventType[];
  const each = <T>(describe: (type: PublicEventType) => T) =>
    Object.fromEntries(types.map((type) => [type, describe(type)]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'WeChat authorization service: events',
      version,
      description:
        'At least once, in order for each authorizer. Fields are only ever added. Over NATS the subject is the address; over AMQP ' +
        'the routing key in the topic exchange wechat.events is the type. WeChat may push types that are not listed here.',
    },
    defaultContentType: 'application/cloudevents+json',
    channels: each((type) => ({
      address: `wechat.events.${type}`,
      messages: { [type]: { $ref: `#/components/messages/${type}` } },
    })),
    operations: each((type) => ({ action: 'send', channel: { $ref: `#/channels/${type}` } })),
    components: { messages: each(messageOf) },
  };
}

function messageOf(type: PublicEventType) {
  const schema = envelope.extend({ type: z.literal(type), data: domainEvents[type] });
  const { $schema: _, ...payload } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return {
    name: type,
    summary: domainEvents[type].description,
    contentType: 'application/cloudevents+json',
    payload,
    examples: [{ payload: exampleOf(type) }],
  };
}

function exampleOf(type: PublicEventType) {
  const isOfPlatform = type === 'wechat.component_verify_ticket';
  return {
    specversion: '1.0',
    id: '6c1f2a3e-8f0b-8c55-a1d2-0b6a5e4d3c21',
    source: '/wechat/components/wx5a0d60c8f1e2b347',
    type,
    ...(isOfPlatform ? {} : { subject: 'wxf8b4f85f3a794e77' }),
    time: '2025-11-21T10:00:00.000Z',
    datacontenttype: 'application/json',
    data: eventExamples[type],
  };
}
