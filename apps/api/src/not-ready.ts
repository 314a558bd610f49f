/** Why no traffic should be sent to us. */
const OBSTACLES = {
  DATABASE_UNAVAILABLE: 'The database does not answer; ask again later',
  MIGRATIONS_PENDING: 'Migrations are pending; run npm run migrate',
  STARTING: 'Subscribers are being registered',
} as const;

/** What a probe is told while pushes cannot be stored. */
export class NotReady extends Error {
  readonly status = 503;
  readonly title: string;
  readonly detail = undefined;

  constructor(
    readonly code: keyof typeof OBSTACLES,
    options?: ErrorOptions,
  ) {
    super(OBSTACLES[code], options);
    this.name = 'NotReady';
    this.title = OBSTACLES[code];
  }
}
