/**
 * What to do about an errcode:
 *
 * - `retry`: WeChat is busy or the condition passes; ask again with back-off
 * - `refresh_token`: the access token used is not good any more; get another and ask once more
 * - `reauthorize`: only the merchant can mend it, by authorizing (again)
 * - `account_state`: the account is frozen, banned, cancelled or lacks an ability; do not repeat
 * - `configuration`: secret, ticket, IP whitelist or console settings of the platform; a person must act
 * - `programming`: the request itself is wrong; repeating it cannot help
 * - `quota`: a limit is used up; ask again later, not soon
 */
export type Reaction =
  'retry' | 'refresh_token' | 'reauthorize' | 'account_state' | 'configuration' | 'programming' | 'quota';

/** The API methods of the component, named as WeChat names them in its paths. */
export type WechatApi =
  | 'api_component_token'
  | 'api_create_preauthcode'
  | 'api_query_auth'
  | 'api_authorizer_token'
  | 'api_get_authorizer_info'
  | 'api_get_authorizer_list'
  | 'api_start_push_ticket';

/** One line of WeChat's table of return codes. */
export interface Errcode {
  readonly name: string;
  readonly reaction: Reaction;
  /** Where the same number means something else. */
  readonly reactionByApi?: Partial<Record<WechatApi, Reaction>>;
  /** For an operator: what to do about it. */
  readonly advice: string;
}

const RETRY = 'WeChat is busy; the call is repeated by itself';
const REFRESH = 'The access token is fetched again and the call repeated once';
const REAUTHORIZE =
  'Look for the account in the authorizer list; if it is not there, ask the merchant to authorize again';
const RECONCILE =
  'Look for the refresh token in the authorizer list or the authorizer information; else ask the merchant to authorize again';
const SECRET = 'Compare WECHAT_COMPONENT_APP_ID and WECHAT_COMPONENT_APP_SECRET with the console';
const WHITELIST = 'Add our IP address to the whitelist of the platform in the console';
const TICKET = 'Wait for the next ticket, or start the pushing of tickets';
const CONSOLE = 'Look at the state of the platform in the console of WeChat';
const DEFECT = 'The request is wrong; report it as a defect';
const REGISTRATION = 'The registration was refused; the merchant corrects what it complains about';
const LIMIT = 'Wait until the limit is lifted, or clear the quota';

const MISSING_SECRET_IS_OURS = {
  api_component_token: 'configuration',
  api_start_push_ticket: 'configuration',
} as const;
const NAMES_AN_AUTHORIZER = { api_authorizer_token: 'programming', api_get_authorizer_info: 'programming' } as const;
const ACCOUNT_LACKS_ABILITY = {
  api_query_auth: 'account_state',
  api_authorizer_token: 'account_state',
  api_get_authorizer_info: 'account_state',
} as const;
const OF_ONE_AUTHORIZER = {
  api_query_auth: 'reauthorize',
  api_authorizer_token: 'reauthorize',
  api_get_authorizer_info: 'reauthorize',
} as const;

function line(reaction: Reaction, name: string, advice: string, reactionByApi?: Errcode['reactionByApi']): Errcode {
  return { name, reaction, advice, ...(reactionByApi && { reactionByApi }) };
}

function lines(codes: readonly number[], reaction: Reaction, name: string, advice: string): [number, Errcode][] {
  return codes.map((code) => [code, line(reaction, name, advice)]);
}

/**
 * WeChat's return codes, as far as a third-party platform meets them.
 *
 * @see https://developers.weixin.qq.com/doc/oplatform/Return_codes/Return_code_descriptions_new.html
 */
export const ERRCODES: ReadonlyMap<number, Errcode> = new Map<number, Errcode>([
  [-1, line('retry', 'system error', RETRY)],
  [40001, line('refresh_token', 'invalid credential', REFRESH, MISSING_SECRET_IS_OURS)],
  [40013, line('configuration', 'invalid appid', SECRET, NAMES_AN_AUTHORIZER)],
  [40014, line('refresh_token', 'invalid access_token', REFRESH)],
  [40091, line('configuration', 'invalid component ticket', TICKET)],
  [40094, line('configuration', 'invalid component credential', SECRET)],
  [40097, line('programming', 'invalid args', DEFECT)],
  [40125, line('configuration', 'invalid appsecret', SECRET)],
  [40164, line('configuration', 'invalid ip, not in whitelist', WHITELIST)],
  [40170, line('programming', 'args count exceed count limit', DEFECT)],
  [41001, line('programming', 'access_token missing', DEFECT)],
  [41002, line('programming', 'appid missing', DEFECT)],
  [41003, line('programming', 'refresh_token missing', DEFECT)],
  [41004, line('programming', 'appsecret missing', DEFECT)],
  [41018, line('programming', 'component_appid missing', DEFECT)],
  [41021, line('programming', 'component_access_token missing', DEFECT)],
  [42001, line('refresh_token', 'access_token expired', REFRESH)],
  [42002, line('reauthorize', 'refresh_token expired', RECONCILE)],
  [42006, line('refresh_token', 'component_access_token expired', REFRESH)],
  [42007, line('reauthorize', 'tokens invalid after a change of password', REAUTHORIZE)],
  [43001, line('programming', 'require GET method', DEFECT)],
  [43002, line('programming', 'require POST method', DEFECT)],
  [44002, line('programming', 'empty post data', DEFECT)],
  [45009, line('quota', 'reach max api daily quota limit', LIMIT)],
  [45011, line('quota', 'api minute-quota reach limit', 'Wait a minute')],
  [45035, line('configuration', 'access clientip is not registered', WHITELIST)],
  [47001, line('programming', 'data format error', DEFECT)],
  [
    48001,
    line('programming', 'api unauthorized', 'The account or the platform lacks this ability', ACCOUNT_LACKS_ABILITY),
  ],
  [48004, line('account_state', 'api forbidden', 'The merchant finds the reason in mp.weixin.qq.com')],
  [48006, line('quota', 'forbid to clear quota, limit reached', LIMIT)],
  [50001, line('reauthorize', 'user unauthorized', REAUTHORIZE)],
  [50002, line('account_state', 'user limited', 'The account is frozen, cancelled or migrated; ask the merchant')],
  [61000, line('programming', 'invalid component type', DEFECT)],
  [61001, line('configuration', 'component type and component appid not match', SECRET)],
  [
    61002,
    line('account_state', 'the third appid is not open KF', 'The merchant opens customer service in its account'),
  ],
  [61003, line('reauthorize', 'component is not authorized by this account', REAUTHORIZE)],
  [61004, line('configuration', 'access clientip is not registered', WHITELIST)],
  [61005, line('configuration', 'component ticket is expired', TICKET)],
  [61006, line('configuration', 'component ticket is invalid', TICKET)],
  [
    61007,
    line(
      'configuration',
      'api is unauthorized to component',
      'Add the permission set, then have merchants update',
      OF_ONE_AUTHORIZER,
    ),
  ],
  [61008, line('programming', 'component req key is duplicated', DEFECT)],
  [61009, line('reauthorize', 'code is invalid', REAUTHORIZE)],
  [61010, line('reauthorize', 'code is expired', REAUTHORIZE)],
  [61011, line('configuration', 'invalid component', SECRET)],
  [61012, line('programming', 'invalid option name', DEFECT)],
  [61013, line('programming', 'invalid option value', DEFECT)],
  [61014, line('programming', 'must use component token for component api', DEFECT)],
  [61015, line('programming', 'must use biz account token for not component api', DEFECT)],
  [
    61016,
    line(
      'configuration',
      'function category of API need be confirmed by component',
      'Confirm the permission set in the console',
    ),
  ],
  [61017, line('reauthorize', 'function category is not authorized', 'Ask the merchant to grant the permission set')],
  [61018, line('programming', 'already confirm', DEFECT)],
  [61019, line('programming', 'not need confirm', DEFECT)],
  [61020, line('programming', 'err parameter', DEFECT)],
  [61021, line('programming', "can't confirm", DEFECT)],
  [61022, line('programming', "can't resubmit", DEFECT)],
  [61023, line('reauthorize', 'refresh_token is invalid', RECONCILE)],
  [61024, line('programming', 'must use api_component_token to get token for component acct', DEFECT)],
  [61025, line('programming', 'read-only option', DEFECT)],
  [61026, line('account_state', 'register access deny', REGISTRATION)],
  [61027, line('quota', 'register access exceed limit', LIMIT)],
  [
    61028,
    line('configuration', 'component is unpublished', 'Publish the platform, or add the account to its test list'),
  ],
  [61029, line('configuration', 'component need republish with base category', 'Publish the platform again')],
  [61030, line('programming', 'component cancel authorization not allowed', DEFECT)],
  [61039, line('retry', 'privacy check task running', RETRY)],
  [61040, line('retry', 'privacy task not finished', RETRY)],
  [61041, line('account_state', 'the appuin has not set orderpath', 'Set the order path of the mini program')],
  ...lines([61051, 61052, 61053, 61054, 61055, 61056], 'account_state', 'registration not possible', REGISTRATION),
  ...lines(
    [61061, 61063, 61064, 61065, 61066, 61067, 61068, 61069],
    'account_state',
    'registration denied',
    REGISTRATION,
  ),
  [61070, line('account_state', 'name, idcard and wechat name not in accordance', REGISTRATION)],
  [61058, line('programming', 'invalid ticket', DEFECT)],
  [61451, line('programming', 'invalid parameter', DEFECT)],
  [76003, line('programming', 'invalid cgi_path', DEFECT)],
  [76021, line('programming', 'cgi_path not found', DEFECT)],
  [76022, line('programming', 'no permission for this cgi_path', DEFECT)],
  [86004, line('account_state', 'invalid wechat', REGISTRATION)],
  ...lines([89247, 89250], 'retry', 'inner error of the registration', RETRY),
  [89248, line('programming', 'invalid code type', DEFECT)],
  [89249, line('account_state', 'registration task running', 'Wait for its result; it takes up to 24 hours')],
  [89251, line('account_state', 'legal person has to check in', 'The legal person confirms in WeChat')],
  ...lines([89252, 89253], 'account_state', 'enterprise being checked', 'Wait for the result of the check'),
  [89254, line('configuration', 'lack of component rights', CONSOLE)],
  [89255, line('account_state', 'enterprise code invalid', REGISTRATION)],
]);

/**
 * What to do about `errcode` when `api` answered it.
 *
 * A number nobody has listed is `retry`: what WeChat adds without notice may pass by itself, whoever repeats is bounded in number and
 * time, and the opposite mistake (giving up on something that would have passed) loses an authorization.
 */
export function reactionTo(errcode: number, api: WechatApi): Reaction {
  const known = ERRCODES.get(errcode);
  return known?.reactionByApi?.[api] ?? known?.reaction ?? 'retry';
}
