/** Every reason a request is turned away, with the status the caller is answered. */
const ACCESS_PROBLEMS = {
  CREDENTIALS_MISSING: [401, 'This needs an API key: Authorization: Bearer <key>'],
  CREDENTIALS_INVALID: [401, 'The API key or token is not valid'],
  ROLE_TOO_LOW: [403, 'Your role does not allow this'],
  ROUTE_UNDECLARED: [403, 'This route does not say who may use it, so nobody may'],
  TOO_MANY_REQUESTS: [429, 'Too many requests'],
  IDENTITY_PROVIDER_UNAVAILABLE: [503, 'The identity provider cannot be reached, so the token cannot be checked'],
} as const;

export type AccessProblemCode = keyof typeof ACCESS_PROBLEMS;

interface AccessProblemFacts {
  readonly detail?: string;
  /** Header fields that belong to the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A request that is turned away. `title` and `detail` are fit for the caller, `cause` is not. */
export class AccessProblem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;

  constructor(
    readonly code: AccessProblemCode,
    { detail, headers, cause }: AccessProblemFacts = {},
  ) {
    const [status, title] = ACCESS_PROBLEMS[code];
    super(detail ? `${title}: ${detail}` : title, cause === undefined ? undefined : { cause });
    this.name = 'AccessProblem';
    this.status = status;
    this.title = title;
    if (detail !== undefined) this.detail = detail;
    if (headers !== undefined) this.headers = headers;
  }
}
