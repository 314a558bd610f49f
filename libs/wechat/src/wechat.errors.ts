/** What a caller of this lib hears that WeChat itself did not say: the HTTP status and the sentence. */
const WECHAT_PROBLEMS = {
  NO_TICKET: [
    503,
    'WeChat has pushed no component_verify_ticket in the last 12 hours; check the push URL in the console, or POST /admin/wechat/platform/start-push-ticket',
  ],
} as const;

/** A failure of our side of the protocol. `title` is fit for the caller of an HTTP route. */
export class WechatError extends Error {
  readonly status: number;
  readonly title: string;

  constructor(
    readonly code: keyof typeof WECHAT_PROBLEMS,
    readonly detail?: string,
  ) {
    const [status, title] = WECHAT_PROBLEMS[code];
    super(title);
    this.name = 'WechatError';
    this.status = status;
    this.title = title;
  }
}
