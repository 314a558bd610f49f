import { WechatApiError, WechatError, WechatUnavailable } from '@app/wechat';
import { type Remedy, remedyOf } from './refresh-failure.js';

/** Every return code a third-party platform may meet, by what is done about it when a token is refreshed. */
const CODES: Record<Remedy['kind'], number[]> = {
  recover: [42002, 42007, 50001, 61007, 61009, 61010, 61017, 61023],
  verify: [61003],
  freeze: [
    ...[48001, 48004, 50002, 61002, 61026, 61041, 61051, 61052, 61053, 61054, 61055, 61056],
    ...[61061, 61063, 61064, 61065, 61066, 61067, 61068, 61069, 61070, 89249, 89251, 89252, 89253, 89255],
  ],
  wait: [
    ...[-1, 40001, 40013, 40014, 40091, 40094, 40097, 40125, 40164, 40170, 41001, 41002, 41003, 41004, 41018, 41021],
    ...[42001, 42006, 43001, 43002, 44002, 45009, 45011, 45035, 47001, 48006, 61000, 61001, 61004, 61005, 61006],
    ...[61008, 61011, 61012, 61013, 61014, 61015, 61016, 61018, 61019, 61020, 61021, 61022, 61024, 61025, 61027],
    ...[61028, 61029, 61030, 61039, 61040, 61058, 61451, 76003, 76021, 76022, 89247, 89248, 89250, 89254],
  ],
};

describe('remedyOf', () => {
  it.each(Object.entries(CODES).flatMap(([kind, codes]) => codes.map((code) => [code, kind] as const)))(
    'answers %i with %s',
    (errcode, kind) => {
      expect(remedyOf(new WechatApiError('api_authorizer_token', errcode, '')).kind).toBe(kind);
    },
  );

  it.each([
    [45011, 60],
    [45009, 600],
    [-1, 5],
    [61004, 60],
  ])('after %i lets callers come again in %i seconds', (errcode, retryAfterSeconds) => {
    expect(remedyOf(new WechatApiError('api_authorizer_token', errcode, ''))).toMatchObject({ retryAfterSeconds });
  });

  it('waits as long as WeChat asks for, and never less than a second', () => {
    const failure = (retryAfterMs?: number) =>
      new WechatUnavailable('api_authorizer_token', 'http', {
        requestSent: true,
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      });
    expect(remedyOf(failure(90_000))).toEqual({ kind: 'wait', retryAfterSeconds: 90 });
    expect(remedyOf(failure(0))).toEqual({ kind: 'wait', retryAfterSeconds: 1 });
    expect(remedyOf(failure())).toEqual({ kind: 'wait', retryAfterSeconds: 5 });
    expect(remedyOf(new WechatError('NO_TICKET'))).toMatchObject({ kind: 'wait' });
  });

  it('throws on what is no failure of WeChat', () => {
    const defect = new TypeError('not a function');
    expect(() => remedyOf(defect)).toThrow(defect);
  });
});
