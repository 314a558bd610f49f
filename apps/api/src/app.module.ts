import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessFailures, AccessModule } from '@app/access';
import {
  AuditInterceptor,
  AuthorizerModule,
  LINKS_OPTIONS,
  type LinksOptions,
  PROBLEM_OF,
  RECONCILE_OPTIONS,
} from '@app/authorizer';
import { BrokerModule } from '@app/broker';
import { EventsModule } from '@app/events';
import { ExampleCrmModule } from '@app/example-crm';
import { Keyring } from '@app/keyring';
import { METRICS, WechatModule } from '@app/wechat';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { countAccessFailures } from './access-metrics.js';
import { ConsoleModule } from './console/console.module.js';
import { databaseOptions } from './database.js';
import { type Env } from './env.js';
import { EventDocumentController } from './event-document.controller.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { ProblemFilter, problemOf } from './problem.filter.js';
import { RequestPipe } from './request.pipe.js';
import { UndeclaredInputInterceptor } from './undeclared-input.interceptor.js';

/** The composition root: which modules make up this application, and with which configuration. */
@Module({})
export class AppModule {
  static register(env: Env, neighbours: readonly DynamicModule[], consoleFolder: string): DynamicModule {
    return {
      module: AppModule,
      global: true,
      imports: [
        TypeOrmModule.forRoot({ ...databaseOptions(env.databaseUrl), retryAttempts: 10, retryDelay: 1_000 }),
        AccessModule.register({ keys: env.apiKeys, oidc: env.oidc ?? undefined }),
        EventsModule.register({ databaseUrl: env.databaseUrl, componentAppId: env.platform.appId }),
        WechatModule.register(env.platform),
        AuthorizerModule,
        ExampleCrmModule,
        BrokerModule.register(env.eventBrokerUrl),
        ConsoleModule.register(consoleFolder),
        ...neighbours,
      ],
      controllers: [EventDocumentController, HealthController, MetricsController],
      providers: [
        { provide: Keyring, useFactory: () => new Keyring(env.encryptionKeys) },
        {
          provide: LINKS_OPTIONS,
          useValue: { publicBaseUrl: env.publicBaseUrl, pagesStandIn: env.pagesStandIn } satisfies LinksOptions,
        },
        { provide: RECONCILE_OPTIONS, useValue: env.reconcile },
        { provide: METRICS, useFactory: createRegistry, inject: [AccessFailures] },
        { provide: PROBLEM_OF, useValue: problemOf },
        { provide: APP_FILTER, useClass: ProblemFilter },
        // In this order: what is refused for its parameters is written down too.
        { provide: APP_INTERCEPTOR, useExisting: AuditInterceptor },
        { provide: APP_INTERCEPTOR, useClass: UndeclaredInputInterceptor },
        { provide: APP_PIPE, useClass: RequestPipe },
      ],
      exports: [Keyring, LINKS_OPTIONS, METRICS, PROBLEM_OF, RECONCILE_OPTIONS],
    };
  }
}

function createRegistry(failures: AccessFailures): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  countAccessFailures(registry, failures);
  return registry;
}
