import { z } from 'zod';

/** A JSON object as it came. */
export type JsonObject = Record<string, unknown>;

const DAY_SECONDS = 86_400;
/** The largest number that PostgreSQL keeps as an integer. */
const MAX_INTEGER = 2_147_483_647;
/** The end of the year 9999. */
const LAST_SECOND = 253_402_300_799;

/** Takes what fits and answers null for everything else: what is optional must not spoil an answer that cannot be had twice. */
export const lenient = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => value ?? null, schema.nullable()).catch(null);

/** A whole number, also when it comes as text. */
export const integer = z.union([
  z.int(),
  z
    .string()
    .regex(/^\s*-?\d{1,15}\s*$/)
    .transform(Number),
]);

/** Text, where empty is the same as absent. */
export const text = lenient(z.string().min(1));

/** Seconds a token lives. Taken as given, but at most a day, so that a wrong number cannot keep a dead token for years. */
const lifetime = integer.pipe(z.int().min(1)).transform((seconds) => Math.min(seconds, DAY_SECONDS));

/** The ids in `func_info`, sorted, each once. It may be absent or empty, and hold ids and entries nobody has documented. */
export const permissionIds = lenient(
  z.array(lenient(z.object({ funcscope_category: z.object({ id: integer.pipe(z.int().min(0).max(MAX_INTEGER)) }) }))),
).transform((entries) => {
  const ids = (entries ?? []).flatMap((entry) => (entry ? [entry.funcscope_category.id] : []));
  return [...new Set(ids)].sort((a, b) => a - b);
});

/** The part every answer can have. `errcode` is absent from the successes of the token APIs. */
export const verdict = z.looseObject({ errcode: integer.nullish(), errmsg: lenient(z.string()) });

const required = z.string().min(1);

export const componentTokenAnswer = z
  .object({ component_access_token: text, access_token: text, expires_in: lifetime })
  .transform((answer, ctx) => ({
    accessToken: oneOf(ctx, answer.component_access_token, answer.access_token),
    expiresInSeconds: answer.expires_in,
  }));

export const preAuthCodeAnswer = z
  .object({ pre_auth_code: required, expires_in: lifetime })
  .transform((answer) => ({ preAuthCode: answer.pre_auth_code, expiresInSeconds: answer.expires_in }));

export const queryAuthAnswer = z
  .object({
    authorization_info: z.object({
      authorizer_appid: required,
      authorizer_access_token: text,
      access_token: text,
      expires_in: lenient(lifetime),
      authorizer_refresh_token: text,
      refresh_token: text,
      func_info: permissionIds,
    }),
  })
  .transform(({ authorization_info: info }) => ({
    authorizerAppId: info.authorizer_appid,
    accessToken: info.expires_in === null ? null : (info.authorizer_access_token ?? info.access_token),
    expiresInSeconds: info.expires_in,
    refreshToken: info.authorizer_refresh_token ?? info.refresh_token,
    permissionIds: info.func_info,
  }));

export const authorizerTokenAnswer = z
  .object({
    authorizer_access_token: text,
    access_token: text,
    expires_in: lifetime,
    authorizer_refresh_token: text,
    refresh_token: text,
  })
  .transform((answer, ctx) => ({
    accessToken: oneOf(ctx, answer.authorizer_access_token, answer.access_token),
    expiresInSeconds: answer.expires_in,
    refreshToken: answer.authorizer_refresh_token ?? answer.refresh_token,
  }));

const listedAuthorizer = z
  .object({
    authorizer_appid: required,
    refresh_token: text,
    authorizer_refresh_token: text,
    auth_time: lenient(integer.pipe(z.int().min(1).max(LAST_SECOND))),
  })
  .transform((entry) => ({
    authorizerAppId: entry.authorizer_appid,
    refreshToken: entry.refresh_token ?? entry.authorizer_refresh_token,
    authTime: entry.auth_time ? new Date(entry.auth_time * 1000) : null,
  }));

/** Strict, unlike the others: who is missing from the list passes for revoked. */
export const authorizerListAnswer = z
  .object({ total_count: integer.pipe(z.int().min(0).max(MAX_INTEGER)), list: z.array(listedAuthorizer).nullish() })
  .refine((answer) => answer.list || answer.total_count === 0, { path: ['list'], message: 'absent although not empty' })
  .transform((answer) => ({ totalCount: answer.total_count, items: answer.list ?? [] }));

export const startPushTicketAnswer = z
  .object({ errmsg: text })
  .transform(({ errmsg }): 'already_on' | 'restarted' =>
    errmsg?.startsWith('in a normal state') ? 'already_on' : 'restarted',
  );

export type ComponentToken = z.infer<typeof componentTokenAnswer>;
export type PreAuthCode = z.infer<typeof preAuthCodeAnswer>;
export type Authorization = z.infer<typeof queryAuthAnswer>;
export type AuthorizerToken = z.infer<typeof authorizerTokenAnswer>;
export type ListedAuthorizer = z.infer<typeof listedAuthorizer>;
export type AuthorizerList = z.infer<typeof authorizerListAnswer>;
export type TicketPushing = z.infer<typeof startPushTicketAnswer>;

function oneOf(ctx: z.RefinementCtx, ...names: (string | null)[]): string {
  const found = names.find((name) => name !== null);
  if (found) return found;
  ctx.addIssue({ code: 'custom', message: 'no access token' });
  return z.NEVER;
}
