import { type SwaggerDocumentOptions } from '@nestjs/swagger';
import { z } from 'zod';

type Converter = NonNullable<SwaggerDocumentOptions['standardSchemaConverter']>;

/** Turns zod schemas into OpenAPI: what routes take as callers write it, what they answer as callers read it. */
export const convertSchema: Converter = (schema, { schemaType }) => {
  if (!(schema instanceof z.ZodType)) return undefined;
  const {
    $schema: _,
    $defs,
    definitions,
    ...converted
  } = z.toJSONSchema(schema, {
    io: schemaType,
    target: 'openapi-3.0',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => replace(jsonSchema),
  }) as Record<string, unknown>;
  allowNull(converted);
  allowNull($defs ?? definitions);
  const components = ($defs ?? definitions ?? {}) as Record<string, object>;
  const { id, ...rest } = converted;
  if (typeof id !== 'string') return { schema: converted, components };
  return { schema: { $ref: `#/components/schemas/${id}` }, components: { ...components, [id]: rest } };
};

/** OpenAPI 3.0 wants null among the values of an enum that may be null, and not only beside it. */
function allowNull(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  const { nullable, enum: values } = schema as { nullable?: boolean; enum?: unknown[] };
  if (nullable && Array.isArray(values) && !values.includes(null)) values.push(null);
  for (const inner of Object.values(schema)) allowNull(inner);
}

/** A schema that reads text says with `override` in its metadata what the text stands for. */
function replace(jsonSchema: Record<string, unknown>): void {
  const { override } = jsonSchema;
  if (!override) return;
  for (const name of ['override', 'pattern']) delete jsonSchema[name];
  Object.assign(jsonSchema, override);
}
