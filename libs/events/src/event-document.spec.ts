import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { domainEvents, type PublicEventType } from './domain-events.js';
import { describeEvents } from './event-document.js';
import { eventExamples } from './event-examples.js';

interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
}

/** Every field of a schema by its path, with its type. */
function fieldsOf(schema: Schema, path: string): string[] {
  const inner = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => fieldsOf(field, `${path}.${name}`)),
    ...(schema.items ? fieldsOf(schema.items, `${path}[]`) : []),
  ];
  return [`${path}: ${typeOf(schema)}`, ...inner];
}

const typeOf = ({ type, anyOf }: Schema): string =>
  anyOf ? anyOf.map(typeOf).join('|') : Array.isArray(type) ? type.join('|') : (type ?? 'any');

const types = Object.keys(domainEvents) as PublicEventType[];
/** Grows with the vocabulary and never shrinks: a line that is removed here is a promise that is broken. */
const published = readFileSync(join(__dirname, 'published-fields.txt'), 'utf8').trim().split('\n');

describe('the published vocabulary', () => {
  it.each(types)('has a valid example of %s that shows every required field', (type) => {
    expect(domainEvents[type].strict().safeParse(eventExamples[type]).error).toBeUndefined();
  });

  const current = types.flatMap((type) =>
    fieldsOf(z.toJSONSchema(domainEvents[type], { io: 'input' }) as Schema, type),
  );

  it('still has every field that was ever published, of the same type', () => {
    expect(published.filter((field) => !current.includes(field))).toEqual([]);
  });

  it('notes every field as published', () => {
    expect(current.filter((field) => !published.includes(field))).toEqual([]);
  });

  it('is an AsyncAPI 3 document whose references lead somewhere', () => {
    const document = describeEvents('1.0.0');
    expect(document.asyncapi).toBe('3.0.0');
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!);
    expect(references.length).toBe(2 * types.length);
    for (const reference of references) {
      const found = reference
        .split('/')
        .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], document);
      expect(found).toBeDefined();
    }
  });

  it('says nothing of secrets and internals', () => {
    expect(JSON.stringify(describeEvents('1.0.0'))).not.toMatch(/Ticket"|AuthorizationCode"|auth_code|internal\./);
  });
});
