/** What a caller of this lib can be told: the HTTP status and the sentence. */
const AUTHORIZER_PROBLEMS = {
  UNKNOWN_AUTHORIZER: [404, 'There is no such authorizer'],
  UNKNOWN_LINK: [404, 'There is no such authorization link'],
  NO_CONFLICT: [409, 'The link has brought no such account that waits for a decision'],
  LINK_OPENED_TOO_OFTEN: [429, 'The link was opened too often; open it again later'],
  LINK_BUSY: [503, 'The link is being opened elsewhere; try again in a moment'],
  TOO_MANY_CODES: [429, 'Too many codes came back with browsers; try again later'],
  NOT_AUTHORIZED: [409, 'The account is not authorized; the merchant has to authorize it'],
  REAUTHORIZATION_REQUIRED: [409, 'WeChat accepts the credential no longer; the merchant has to authorize again'],
  ACCOUNT_FROZEN: [409, 'WeChat has frozen, banned or closed the account; the merchant has to settle that with WeChat'],
  EXCHANGE_UNDER_WAY: [503, 'The authorization code is being exchanged; ask again in a moment'],
  WECHAT_UNAVAILABLE: [503, 'WeChat cannot be reached; ask again later'],
  DATABASE_UNAVAILABLE: [503, 'The database does not answer; ask again later'],
} as const;

export type AuthorizerProblem = keyof typeof AUTHORIZER_PROBLEMS;

interface AuthorizerProblemFacts {
  readonly detail?: string | undefined;
  readonly cause?: unknown;
  /** When asking again may help, where that is known. */
  readonly retryAfterSeconds?: number | undefined;
}

/** Why something about an authorizer could not be done. `title` and `detail` are fit for the caller of an HTTP route; `cause` is not. */
export class AuthorizerError extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: AuthorizerProblem,
    { detail, cause, retryAfterSeconds }: AuthorizerProblemFacts = {},
  ) {
    const [status, title] = AUTHORIZER_PROBLEMS[code];
    super(detail ? `${title}: ${detail}` : title, { cause });
    this.name = 'AuthorizerError';
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** What an HTTP answer says besides the body. */
  get headers(): Readonly<Record<string, string>> {
    return this.retryAfterSeconds === undefined ? {} : { 'retry-after': String(this.retryAfterSeconds) };
  }
}
