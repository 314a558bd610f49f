import { AuthorizerCredentialEntity } from './authorizer-credential.entity.js';
import { AuthorizerEntity } from './authorizer.entity.js';

/** For the application's DataSource. */
export const authorizerEntities = [AuthorizerEntity, AuthorizerCredentialEntity];
