import { type DynamicModule, Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { type Pool } from 'pg';
import { DeliveryDesk } from './delivery-desk.js';
import { DeliveryRelay } from './delivery-relay.js';
import { DeliveryStore } from './delivery-store.js';
import { EventLog } from './event-log.js';
import { EventOutbox } from './event-outbox.js';
import { EventSecrets } from './event-secrets.js';
import { EVENTS_OPTIONS, type EventsOptions } from './events.options.js';
import { createDeliveryPool, DELIVERY_POOL } from './delivery-pool.js';
import { createIntakePool, INTAKE_POOL } from './intake-pool.js';
import { SubscriberRegistry } from './subscriber-registry.js';
import { DEFAULT_TIMING } from './subscriber-worker.js';

/** The outbox and its relay. Needs a TypeORM DataSource and a Keyring from the application. */
@Module({})
export class EventsModule implements OnApplicationShutdown {
  constructor(
    @Inject(INTAKE_POOL) private readonly intake: Pool,
    @Inject(DELIVERY_POOL) private readonly deliveries: Pool,
  ) {}

  static register(options: Omit<EventsOptions, 'timing'> & Partial<EventsOptions>): DynamicModule {
    const logger = new Logger(EventsModule.name);
    const lost = (error: Error) => logger.warn(`An idle connection was lost: ${error.message}`);
    return {
      module: EventsModule,
      global: true,
      imports: [DiscoveryModule, EventEmitterModule.forRoot({ maxListeners: 0 })],
      providers: [
        { provide: EVENTS_OPTIONS, useValue: { timing: DEFAULT_TIMING, ...options } satisfies EventsOptions },
        { provide: INTAKE_POOL, useFactory: () => createIntakePool(options.databaseUrl, lost) },
        { provide: DELIVERY_POOL, useFactory: () => createDeliveryPool(options.databaseUrl, lost) },
        EventOutbox,
        EventSecrets,
        EventLog,
        DeliveryDesk,
        {
          provide: DeliveryStore,
          useFactory: (pool: Pool) => new DeliveryStore(pool, options.componentAppId),
          inject: [DELIVERY_POOL],
        },
        {
          provide: SubscriberRegistry,
          useFactory: (pool: Pool) => new SubscriberRegistry(pool, options.componentAppId),
          inject: [DELIVERY_POOL],
        },
        DeliveryRelay,
      ],
      exports: [EventOutbox, EventSecrets, EventLog, DeliveryDesk, SubscriberRegistry],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.intake.end(), this.deliveries.end()]);
  }
}
