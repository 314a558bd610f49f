import { PRE_AUTH_CODE_SECONDS, TOKEN_SECONDS } from '../state/platform.js';
import { checkComponentAppId, checkSecret, type ComponentApi, OK } from './component-api.js';

/** What the platform asks for itself. */
export const platformApis: ComponentApi[] = [
  {
    path: '/cgi-bin/component/api_component_token',
    method: 'POST',
    token: 'none',
    answer(call) {
      checkComponentAppId(call);
      checkSecret(call, 'component_appsecret');
      call.world.platform.checkTicket(call.body.component_verify_ticket);
      return { component_access_token: call.world.platform.issueToken(), expires_in: TOKEN_SECONDS };
    },
  },
  {
    path: '/cgi-bin/component/api_create_preauthcode',
    method: 'POST',
    token: 'component',
    answer: ({ world }) => ({ pre_auth_code: world.platform.issuePreAuthCode(), expires_in: PRE_AUTH_CODE_SECONDS }),
  },
  {
    path: '/cgi-bin/component/api_start_push_ticket',
    method: 'POST',
    token: 'none',
    answer(call) {
      checkComponentAppId(call);
      checkSecret(call, 'component_secret');
      void call.world.pushTicket();
      return OK;
    },
  },
  {
    path: '/cgi-bin/getcallbackip',
    method: 'GET',
    token: 'any',
    answer: () => ({ ip_list: ['127.0.0.1', '106.55.206.146', '101.226.103.0/25'] }),
  },
  {
    path: '/cgi-bin/get_api_domain_ip',
    method: 'GET',
    token: 'any',
    answer: () => ({ ip_list: ['127.0.0.1', '101.91.34.103'] }),
  },
];
