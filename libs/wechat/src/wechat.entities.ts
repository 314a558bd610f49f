import { PlatformCredentialEntity } from './platform-credential.entity.js';

/** For the application's DataSource. */
export const wechatEntities = [PlatformCredentialEntity];
