export const RECONCILE_OPTIONS = Symbol('reconcile-options');

/** How often, and how fast, records are compared with WeChat. */
export interface ReconcileOptions {
  /** Hours from one run to the next; 0 switches the schedule off. */
  readonly intervalHours: number;
  /** The most calls to WeChat that a run makes in a minute. */
  readonly callsPerMinute: number;
}
