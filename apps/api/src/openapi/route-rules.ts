import { type INestApplication } from '@nestjs/common';
import { METHOD_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer, Reflector } from '@nestjs/core';
import { ruleOf } from '@app/access';
import { z } from 'zod';

/** How Nest numbers the decorator of the body. */
const BODY = '3:';

/** What a route says of itself beside its schemas. */
export interface RouteRules {
  /** The role it needs; null where it is open to everybody. */
  readonly role: string | null;
  /** Whether it may be called without a body. */
  readonly isBodyOptional: boolean;
}

/** The rules of each route, by the name the document gives it. */
export function routeRules(app: INestApplication): Map<string, RouteRules> {
  const reflector = app.get(Reflector);
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  const rules = controllers.flatMap(({ metatype }) => {
    const controller = metatype as new () => Record<string, object>;
    return Object.getOwnPropertyNames(controller.prototype).flatMap((name): [string, RouteRules][] => {
      const handler = (controller.prototype as Record<string, () => unknown>)[name]!;
      if (name === 'constructor' || !Reflect.hasMetadata(METHOD_METADATA, handler)) return [];
      const rule = ruleOf(reflector, handler, controller);
      const role = rule && 'role' in rule ? rule.role : null;
      return [[`${controller.name}_${name}`, { role, isBodyOptional: isBodyOptional(controller, name) }]];
    });
  });
  return new Map(rules);
}

function isBodyOptional(controller: object, name: string): boolean {
  const parameters = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) as
    Record<string, { readonly schema?: unknown }> | undefined;
  return Object.entries(parameters ?? {}).some(
    ([kind, { schema }]) => kind.startsWith(BODY) && schema instanceof z.ZodType && schema.safeParse(undefined).success,
  );
}
