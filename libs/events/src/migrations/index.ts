import { CreateEvents1763700000001 } from './1763700000001-create-events.js';
import { FinishDelivery1763700000060 } from './1763700000060-finish-delivery.js';

export const eventsMigrations = [CreateEvents1763700000001, FinishDelivery1763700000060];
