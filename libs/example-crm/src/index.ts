export { ExampleCrmModule } from './example-crm.module.js';
export { exampleCrmMigrations } from './migrations/index.js';
