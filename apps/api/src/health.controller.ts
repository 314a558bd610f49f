import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { Public } from '@app/access';
import { EventOutbox } from '@app/events';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { hasPendingMigrations } from './database.js';
import { NotReady } from './not-ready.js';

const well = z.object({ status: z.literal('ok') }).meta({ example: { status: 'ok' } });

/** For whoever restarts us or sends us traffic. */
@Public()
@Controller('health')
export class HealthController {
  private isMigrated = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: EventOutbox,
  ) {}

  @Get('live')
  @ApiOperation({ summary: 'Whether the process answers' })
  @ApiOkResponse({ standardSchema: well, description: 'It does' })
  live() {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Whether pushes can be stored: the database answers and has every migration',
    description: 'WeChat being away does not matter here.',
  })
  @ApiOkResponse({ standardSchema: well, description: 'They can' })
  @ApiResponse({
    status: 503,
    description: 'They cannot; code says why: DATABASE_UNAVAILABLE, MIGRATIONS_PENDING or STARTING',
  })
  async ready() {
    await this.outbox.ping().catch((error: unknown) => refuse('DATABASE_UNAVAILABLE', error));
    this.isMigrated ||= !(await this.hasPendingMigrations());
    if (!this.isMigrated) throw new NotReady('MIGRATIONS_PENDING');
    if (!this.outbox.isOpen) throw new NotReady('STARTING');
    return { status: 'ok' };
  }

  private hasPendingMigrations(): Promise<boolean> {
    return hasPendingMigrations(this.dataSource).catch((error: unknown) => refuse('DATABASE_UNAVAILABLE', error));
  }
}

function refuse(code: NotReady['code'], cause: unknown): never {
  throw new NotReady(code, { cause });
}
