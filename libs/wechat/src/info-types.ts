/** The elements that are tickets and codes, whatever the InfoType. */
export const SECRET_FIELDS = ['ComponentVerifyTicket', 'AuthorizationCode', 'PreAuthCode', 'auth_code'] as const;

const ACCOUNT_ELEMENTS = ['AuthorizerAppid', 'appid', 'authorizer_appid', 'verify_appid'] as const;

const REQUIRED_ELEMENTS = new Map<string, readonly string[]>([
  ['component_verify_ticket', ['ComponentVerifyTicket']],
  ['authorized', ['AuthorizerAppid', 'AuthorizationCode']],
  ['updateauthorized', ['AuthorizerAppid', 'AuthorizationCode']],
  ['unauthorized', ['AuthorizerAppid']],
]);

/** The elements that may name the account an event is about, the likeliest first. */
export function accountElements(infoType: string): readonly string[] {
  return REQUIRED_ELEMENTS.has(infoType) ? ['AuthorizerAppid'] : ACCOUNT_ELEMENTS;
}

/** The elements without which an event of this type can have no effect. */
export function requiredElements(infoType: string, status: unknown): readonly string[] {
  if (infoType === 'notify_third_fasteregister') return status === '0' ? ['appid', 'auth_code'] : [];
  return REQUIRED_ELEMENTS.get(infoType) ?? [];
}

/** WeChat's times are unix seconds of ten digits (2001 to 2286); anything else is no time, and above all not 1970. */
export function readUnixSeconds(value: unknown): Date | null {
  if (typeof value !== 'string' || !/^[1-9][0-9]{9}$/.test(value)) return null;
  return new Date(Number(value) * 1000);
}
