import { SetMetadata } from '@nestjs/common';

/** Where the decorator leaves its mark. */
export const AUDITED = 'audited';

export interface AuditedAction {
  readonly action: string;
  /** The route parameter that names what is acted on. */
  readonly param?: string;
  /** The field of the body that names it. */
  readonly field?: string;
  /** The field of the answer that names it, where the action made it. */
  readonly made?: string;
}

/**
 * Every use of the route is written down: who, what, when, from where, and what came of it. The action is named after what it acts on,
 * as in `authorizer.sync`.
 */
export const Audited = (action: string, target: Omit<AuditedAction, 'action'> = {}) =>
  SetMetadata<string, AuditedAction>(AUDITED, { action, ...target });
