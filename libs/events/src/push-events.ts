import { z } from 'zod';

/** WeChat sends text only; numbers stay text, so that they stay exact. */
const text = z.string();
const unixSeconds = text.describe('Unix seconds');

/** What every push has, under WeChat's element names. Elements unknown here are passed on beside these. */
function push<InfoType extends string, Shape extends z.ZodRawShape>(infoType: InfoType, shape: Shape) {
  return z.looseObject({
    AppId: text.optional().describe("The component's appid, not the authorizer's"),
    CreateTime: unixSeconds.optional(),
    InfoType: z.literal(infoType),
    ...shape,
  });
}

const grant = {
  AuthorizerAppid: text,
  AuthorizationCodeExpiredTime: text.optional().describe('When the code expires, absolute unix seconds'),
};

const registration = {
  appid: text.optional().describe('The new mini program; may be missing where status is not 0'),
  status: text.describe('0 when it succeeded'),
  msg: text.optional(),
};

const enterprise = {
  name: text.optional(),
  code: text.optional(),
  code_type: text.optional().describe('1 unified social credit code, 2 organisation code, 3 business licence'),
  legal_persona_wechat: text.optional(),
  legal_persona_name: text.optional(),
  component_phone: text.optional(),
};

const orderPathResult = z.looseObject({
  appid: text.optional(),
  audit_id: text.optional(),
  ret_code: text.optional().describe('0 when it was accepted'),
});

const orderPathAudit = z.looseObject({
  appid: text.optional(),
  audit_id: text.optional(),
  status: text.optional().describe('4 passed, 3 failed; an entry with a reason may have none'),
  apply_time: unixSeconds.optional(),
  audit_time: unixSeconds.optional(),
  reason: text.optional(),
});

/**
 * The data of every push that WeChat is known to send. It has no official table: whatever a page calls optional, or a capture was
 * seen without, is optional here. Tickets and codes are never among the fields.
 *
 * @see https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/authorize_event.html
 */
export const pushEvents = {
  'wechat.component_verify_ticket': push('component_verify_ticket', {}).describe('A new ticket came'),
  'wechat.authorized': push('authorized', grant).describe('An account was authorized to the platform'),
  'wechat.updateauthorized': push('updateauthorized', grant).describe('The granted permission sets changed'),
  'wechat.unauthorized': push('unauthorized', { AuthorizerAppid: text }).describe('The authorization was revoked'),
  'wechat.notify_third_fasteregister': push('notify_third_fasteregister', {
    ...registration,
    info: z.looseObject({ ...enterprise, wxuser: text.optional(), idname: text.optional() }).optional(),
  }).describe('A fast registration of a mini program ended'),
  'wechat.notify_third_fastregisterbetaapp': push('notify_third_fastregisterbetaapp', {
    ...registration,
    info: z.looseObject({ unique_id: text.optional(), name: text.optional() }).optional(),
  }).describe('A trial mini program was made, or could not be'),
  'wechat.notify_third_fastverifybetaapp': push('notify_third_fastverifybetaapp', {
    ...registration,
    info: z.looseObject(enterprise).optional(),
  }).describe('The verification of a trial mini program ended'),
  'wechat.notify_3rd_wxa_auth': push('notify_3rd_wxa_auth', {
    appid: text,
    taskid: text.optional(),
    task_status: text.optional(),
    apply_status: text.optional(),
    message: text.optional(),
    dispatch_info: z
      .looseObject({ provider: text.optional(), contact: text.optional(), dispatch_time: unixSeconds.optional() })
      .optional(),
  }).describe('A verification of a mini program came a step further'),
  'wechat.notify_3rd_wxa_wxverify': push('notify_3rd_wxa_wxverify', {
    appid: text,
    expired: unixSeconds.optional(),
    message: text.optional(),
  }).describe('The yearly verification of a mini program expires'),
  'wechat.notify_3rd_wxa_auth_and_icp': push('notify_3rd_wxa_auth_and_icp', {
    procedure_id: text.optional(),
    procedure_status: text.optional(),
  }).describe('A joint verification and ICP filing came a step further'),
  'wechat.notify_icpfiling_verify_result': push('notify_icpfiling_verify_result', {
    task_id: text.optional(),
    verify_appid: text.optional(),
    result: text.optional().describe('2 failed, 3 passed'),
    along_with_auth_result: text.optional(),
  }).describe("The check of the administrator's face for an ICP filing ended"),
  'wechat.notify_apply_icpfiling_result': push('notify_apply_icpfiling_result', {
    authorizer_appid: text.optional(),
    beian_status: text.optional(),
  }).describe('An ICP filing was audited'),
  'wechat.order_path_apply_result_notify': push('order_path_apply_result_notify', {
    list: z.array(orderPathResult).optional(),
  }).describe('Applications for an order page were accepted or refused'),
  'wechat.order_path_audit_result_notify': push('order_path_audit_result_notify', {
    list: z.array(orderPathAudit).optional(),
  }).describe('Order pages were audited'),
  'wechat.wxa_nickname_audit': push('wxa_nickname_audit', {
    ret: text.optional(),
    nickname: text.optional(),
    reason: text.optional(),
  }).describe('The nick name of a mini program was audited'),
} as const;

/** Whether WeChat is known to push this; it may push others at any time. */
export function isKnownInfoType(infoType: string): boolean {
  return Object.hasOwn(pushEvents, `wechat.${infoType}`);
}
