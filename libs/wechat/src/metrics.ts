/** The prom-client Registry in which the libs register what they count. */
export const METRICS = Symbol('metrics');
