import { type z } from 'zod';
import { type domainEvents, type PublicEventType } from './domain-events.js';

const PUSH = { AppId: 'wx5a0d60c8f1e2b347', CreateTime: '1763719200' } as const;
const MINI_PROGRAM = 'wxf8b4f85f3a794e77';
const FACTS = {
  accountType: 'mini_program',
  permissions: [{ id: 17, name: '获取小程序码' }],
  tenantId: 't-42',
  state: 'spring-campaign',
} as const;

/** One example of each event's data, as it is published beside its schema. */
export const eventExamples: { readonly [T in PublicEventType]: z.input<(typeof domainEvents)[T]> } = {
  'authorizer.authorized': { ...FACTS, permissions: [...FACTS.permissions] },
  'authorizer.updated': {
    ...FACTS,
    permissions: [...FACTS.permissions],
    changes: { fields: ['permissions'], permissionsGranted: [...FACTS.permissions], permissionsWithdrawn: [] },
  },
  'authorizer.unauthorized': { tenantId: 't-42', state: null, reason: 'revoked' },
  'authorizer.attention_required': { attention: 'reauthorization_required' },
  'authorizer.binding_conflict': { tenantId: 't-42', wantedTenantId: 't-43', linkId: 'Zk3vT0c1' },
  'wechat.component_verify_ticket': { ...PUSH, InfoType: 'component_verify_ticket' },
  'wechat.authorized': {
    ...PUSH,
    InfoType: 'authorized',
    AuthorizerAppid: MINI_PROGRAM,
    AuthorizationCodeExpiredTime: '1763722800',
  },
  'wechat.updateauthorized': {
    ...PUSH,
    InfoType: 'updateauthorized',
    AuthorizerAppid: MINI_PROGRAM,
    AuthorizationCodeExpiredTime: '1763722800',
  },
  'wechat.unauthorized': { ...PUSH, InfoType: 'unauthorized', AuthorizerAppid: MINI_PROGRAM },
  'wechat.notify_third_fasteregister': {
    ...PUSH,
    InfoType: 'notify_third_fasteregister',
    appid: MINI_PROGRAM,
    status: '0',
    msg: 'OK',
    info: { name: '某某科技有限公司', code: '91440300MA5XXXXXXX', code_type: '1' },
  },
  'wechat.notify_third_fastregisterbetaapp': {
    ...PUSH,
    InfoType: 'notify_third_fastregisterbetaapp',
    appid: MINI_PROGRAM,
    status: '0',
    msg: 'OK',
    info: { unique_id: 'shop-7', name: '某某小店' },
  },
  'wechat.notify_third_fastverifybetaapp': {
    ...PUSH,
    InfoType: 'notify_third_fastverifybetaapp',
    appid: MINI_PROGRAM,
    status: '0',
    msg: 'OK',
    info: { name: '某某科技有限公司', code: '91440300MA5XXXXXXX', code_type: '1' },
  },
  'wechat.notify_3rd_wxa_auth': {
    ...PUSH,
    InfoType: 'notify_3rd_wxa_auth',
    appid: MINI_PROGRAM,
    taskid: 'task-1',
    task_status: '6',
    apply_status: '2',
  },
  'wechat.notify_3rd_wxa_wxverify': {
    ...PUSH,
    InfoType: 'notify_3rd_wxa_wxverify',
    appid: MINI_PROGRAM,
    expired: '1763719200',
    message: '账号名称: 某某小店',
  },
  'wechat.notify_3rd_wxa_auth_and_icp': {
    ...PUSH,
    InfoType: 'notify_3rd_wxa_auth_and_icp',
    procedure_id: 'procedure-1',
    procedure_status: '26',
  },
  'wechat.notify_icpfiling_verify_result': {
    ...PUSH,
    InfoType: 'notify_icpfiling_verify_result',
    task_id: 'task-2',
    verify_appid: MINI_PROGRAM,
    result: '3',
  },
  'wechat.notify_apply_icpfiling_result': {
    ...PUSH,
    InfoType: 'notify_apply_icpfiling_result',
    authorizer_appid: MINI_PROGRAM,
    beian_status: '6',
  },
  'wechat.order_path_apply_result_notify': {
    ...PUSH,
    InfoType: 'order_path_apply_result_notify',
    list: [{ appid: MINI_PROGRAM, audit_id: '12131', ret_code: '0' }],
  },
  'wechat.order_path_audit_result_notify': {
    ...PUSH,
    InfoType: 'order_path_audit_result_notify',
    list: [{ appid: MINI_PROGRAM, audit_id: '12131', status: '4', apply_time: '1763632800', audit_time: '1763719200' }],
  },
  'wechat.wxa_nickname_audit': { ...PUSH, InfoType: 'wxa_nickname_audit', ret: '3', nickname: '某某小店' },
};
