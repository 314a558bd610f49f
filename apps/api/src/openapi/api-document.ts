import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { CHAPTERS, chapterOf } from './chapters.js';
import { routeRules, type RouteRules } from './route-rules.js';
import { convertSchema } from './schema-converter.js';

const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    code: z.union([z.string(), z.int()]).describe('For programs: stays the same when the sentences change'),
    detail: z.string().optional(),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe('Every field that is wrong'),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457',
    example: {
      ...{ type: 'about:blank', title: 'The request has fields that are wrong', status: 400, code: 'INVALID_REQUEST' },
      detail: 'limit: must be a whole number',
      errors: [{ field: 'limit', message: 'must be a whole number' }],
    },
  });

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'A parameter or field is wrong, or unknown; every one of them is listed',
  401: 'The key or token is missing or not valid',
  403: 'The role is too low',
  404: 'There is no such thing',
  429: 'Too many requests',
  503: 'The database does not answer',
};

interface Operation {
  operationId?: string;
  tags?: string[];
  description?: string;
  security?: Record<string, string[]>[];
  parameters?: { in: string; description?: string; name: string }[];
  requestBody?: { required?: boolean };
  responses: Record<string, { description: string; content?: object; headers?: object } | undefined>;
}

const IN_PATHS: Readonly<Record<string, string>> = {
  appId: 'The appid of the authorizer',
  id: 'Its id, as the list has it',
  linkId: 'The id of the link',
};

const RETRY_AFTER = { 'Retry-After': { description: 'When to come again, in seconds', schema: { type: 'integer' } } };

/** The document of every route: taken from the schemas that check requests, and from the rules about who may come in. */
export function apiDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('WeChat authorization service')
    .setDescription('Who has authorized the platform, what WeChat pushed, and what came of it.')
    .setVersion('0.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key, or a token of the identity provider' })
    .build();
  config.tags = Object.entries(CHAPTERS).map(([name, { about }]) => ({ name, description: about }));
  const document = SwaggerModule.createDocument(app, config, { standardSchemaConverter: convertSchema });
  const { components } = convertSchema(problem, { schemaType: 'output' })!;
  Object.assign((document.components!.schemas ??= {}), components);
  const rules = routeRules(app);
  for (const methods of Object.values(document.paths)) {
    for (const operation of Object.values(methods as Record<string, Operation>)) {
      complete(operation, rules.get(operation.operationId ?? '') ?? { role: null, isBodyOptional: false });
    }
  }
  return document;
}

/** Adds what follows from the rules: what may be left out, who may come in, and how those are answered who may not. */
function complete(operation: Operation, { role, isBodyOptional }: RouteRules): void {
  const { parameters = [], requestBody, responses } = operation;
  operation.tags = operation.tags?.map(chapterOf) ?? [];
  for (const parameter of parameters) parameter.description ??= IN_PATHS[parameter.name] ?? '';
  if (requestBody && isBodyOptional) requestBody.required = false;
  if (role !== null) {
    operation.security = [{ bearer: [] }];
    operation.description = [operation.description, `Needs the role ${role}.`].filter(Boolean).join(' ');
    for (const status of [400, 401, 403, 429]) responses[status] ??= { description: PROBLEMS[status]! };
    responses[503] ??= { description: PROBLEMS[503]! };
    if (parameters.some((parameter) => parameter.in === 'path')) responses[404] ??= { description: PROBLEMS[404]! };
    responses.default ??= { description: 'Any other problem' };
  }
  for (const [status, response] of Object.entries(responses)) {
    if (response && (status === '429' || status === '503')) response.headers ??= RETRY_AFTER;
    if (!response || response.content || !(Number(status) >= 400 || status === 'default')) continue;
    response.content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  }
}
