import { Module } from '@nestjs/common';
import { TenantProvisioner } from './tenant-provisioner.js';

/** A neighbour to copy: one durable subscriber with a table of its own. */
@Module({ providers: [TenantProvisioner] })
export class ExampleCrmModule {}
