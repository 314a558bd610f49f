import { CreateCrmTenant1763700000021 } from './1763700000021-create-crm-tenant.js';

export const exampleCrmMigrations = [CreateCrmTenant1763700000021];
