import { ERRCODES, reactionTo, type Reaction, type WechatApi } from './errcodes.js';
import { WechatApiError } from './wechat-errors.js';

const APIS: WechatApi[] = [
  'api_component_token',
  'api_create_preauthcode',
  'api_query_auth',
  'api_authorizer_token',
  'api_get_authorizer_info',
  'api_get_authorizer_list',
  'api_start_push_ticket',
];

/** WeChat's codes by the one reaction that is right wherever they come from. */
const EVERYWHERE: Record<Reaction, number[]> = {
  retry: [-1, 61039, 61040, 89247, 89250],
  refresh_token: [40014, 42001, 42006],
  reauthorize: [42002, 42007, 50001, 61003, 61009, 61010, 61017, 61023],
  account_state: [
    ...[48004, 50002, 61002, 61026, 61041, 61051, 61052, 61053, 61054, 61055, 61056],
    ...[61061, 61063, 61064, 61065, 61066, 61067, 61068, 61069, 61070, 86004, 89249, 89251, 89252, 89253, 89255],
  ],
  configuration: [
    ...[40091, 40094, 40125, 40164, 45035, 61001, 61004, 61005, 61006, 61011, 61016, 61028, 61029, 89254],
  ],
  programming: [
    ...[40097, 40170, 41001, 41002, 41003, 41004, 41018, 41021, 43001, 43002, 44002, 47001],
    ...[61000, 61008, 61012, 61013, 61014, 61015, 61018, 61019, 61020, 61021, 61022, 61024, 61025, 61030, 61058],
    ...[61451, 76003, 76021, 76022, 89248],
  ],
  quota: [45009, 45011, 48006, 61027],
};

/** Those that mean different things in different places: the exceptions, and what holds elsewhere. */
const BY_API: [number, Partial<Record<WechatApi, Reaction>>, Reaction][] = [
  [40001, { api_component_token: 'configuration', api_start_push_ticket: 'configuration' }, 'refresh_token'],
  [40013, { api_authorizer_token: 'programming', api_get_authorizer_info: 'programming' }, 'configuration'],
  [
    48001,
    {
      api_query_auth: 'account_state',
      api_authorizer_token: 'account_state',
      api_get_authorizer_info: 'account_state',
    },
    'programming',
  ],
  [
    61007,
    { api_query_auth: 'reauthorize', api_authorizer_token: 'reauthorize', api_get_authorizer_info: 'reauthorize' },
    'configuration',
  ],
];

describe('reactionTo', () => {
  const rows = Object.entries(EVERYWHERE).flatMap(([reaction, codes]) =>
    codes.map((code) => [code, reaction] as const),
  );

  it.each(rows)('answers %i with %s, whatever the API', (code, reaction) => {
    expect(APIS.map((api) => reactionTo(code, api))).toEqual(APIS.map(() => reaction));
  });

  it.each(BY_API)('answers %i by the API that was called', (code, exceptions, elsewhere) => {
    expect(APIS.map((api) => reactionTo(code, api))).toEqual(APIS.map((api) => exceptions[api] ?? elsewhere));
  });

  it('leaves no code of the table untested', () => {
    const tested = [...rows.map(([code]) => code), ...BY_API.map(([code]) => code)];
    expect([...ERRCODES.keys()].sort()).toEqual(tested.sort());
  });

  it('repeats what nobody has listed', () => {
    expect(reactionTo(12345678, 'api_query_auth')).toBe('retry');
  });

  it('has a name and an advice for every code', () => {
    for (const { name, advice } of ERRCODES.values())
      expect([name.length > 3, advice.length > 8]).toEqual([true, true]);
  });
});

describe('WechatApiError', () => {
  it.each([
    ['refresh_token is invalid hint: [Oto2JA02774731]', 'refresh_token is invalid', null],
    [
      'refresh_token is invalid rid: 5fc60c96-69d846b9-287987c1',
      'refresh_token is invalid',
      '5fc60c96-69d846b9-287987c1',
    ],
    ['code is expired', 'code is expired', null],
    ['', '', null],
  ])('takes %j apart', (errmsg, words, rid) => {
    const error = new WechatApiError('api_authorizer_token', 61023, errmsg);
    expect(error).toMatchObject({
      errcode: 61023,
      reaction: 'reauthorize',
      api: 'api_authorizer_token',
      errmsg: words,
      rid,
    });
    expect(error.message).toBe('api_authorizer_token answered 61023 (refresh_token is invalid)');
  });

  it.each([
    [
      61004,
      'access clientip is not registered requestIP: 47.99.***.** rid: 60486285-3968f4d5-3d1f7d1f',
      '47.99.***.**',
    ],
    [61004, 'access clientip is not registered requestIP: 2402:4e00::1 rid: 60486285', '2402:4e00::1'],
    [40164, 'invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist rid: 60486285', '1.2.3.4'],
    [61023, 'refresh_token is invalid rid: 60486285', null],
  ])('finds the address of ours in the words of %i', (errcode, errmsg, requestIp) => {
    expect(new WechatApiError('api_component_token', errcode, errmsg)).toMatchObject({ requestIp });
  });

  it('says what to do, also about a code nobody has listed', () => {
    expect(new WechatApiError('api_component_token', 61004, '').advice).toContain('whitelist');
    const unknown = new WechatApiError('api_component_token', 99999, 'x'.repeat(5_000));
    expect(unknown.advice).toContain('not in our table');
    expect(unknown.message).toBe('api_component_token answered 99999 (not in our table)');
    expect(unknown.errmsg).toHaveLength(200);
  });
});
