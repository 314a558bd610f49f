export { type AccountProfile, type AccountStatus } from './client/account-profile.js';
export { type Reaction } from './client/errcodes.js';
export { permissionName } from './client/permissions.js';
export {
  type Authorization,
  type AuthorizerList,
  type AuthorizerToken,
  type ListedAuthorizer,
} from './client/wechat-answers.js';
export { WechatClient } from './client/wechat-client.js';
export { WechatApiError, WechatUnavailable } from './client/wechat-errors.js';
export { METRICS } from './metrics.js';
export { spendReport } from './report-measure.js';
export { wechatMigrations } from './migrations/index.js';
export { PlatformCredentialEntity, type PlatformFailure } from './platform-credential.entity.js';
export { type AccessToken, PlatformCredentialService } from './platform-credential.service.js';
export { PushRejected, type RejectionReason } from './rejection.js';
export { adviceOn, type RejectionCount, RejectionLog, type RejectionRecord } from './rejection-log.js';
export { WechatError } from './wechat.errors.js';
export { WechatModule } from './wechat.module.js';
export { WECHAT_OPTIONS, type WechatOptions } from './wechat.options.js';
export { wechatEntities } from './wechat.entities.js';
export { wechatSealedColumns } from './sealed-columns.js';
