import { type Account } from '../state/account.js';
import { WechatError } from '../wechat-error.js';
import { type ApiCall, type ComponentApi, OK, text } from './component-api.js';

/** 账号选项 and their values. No option of a mini program is documented. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  location_report: ['0', '1', '2'],
  voice_recognize: ['0', '1'],
  customer_service: ['0', '1'],
};

/** Both generations of each: the old ones name the account in the body, the new ones by the token. */
export const optionApis: ComponentApi[] = [
  {
    path: '/cgi-bin/component/api_get_authorizer_option',
    method: 'POST',
    token: 'any',
    answer: (call) => ({ authorizer_appid: accountOf(call).appId, ...getOption(call) }),
  },
  {
    path: '/cgi-bin/component/get_authorizer_option',
    method: 'POST',
    token: 'any',
    answer: (call) => ({ ...OK, ...getOption(call) }),
  },
  { path: '/cgi-bin/component/api_set_authorizer_option', method: 'POST', token: 'any', answer: setOption },
  { path: '/cgi-bin/component/set_authorizer_option', method: 'POST', token: 'any', answer: setOption },
];

function getOption(call: ApiCall): object {
  const { name } = optionOf(call);
  return { option_name: name, option_value: accountOf(call).options[name] ?? '0' };
}

function setOption(call: ApiCall): object {
  const account = accountOf(call);
  const { name, values } = optionOf(call);
  const value = String(call.body.option_value);
  if (!values.includes(value)) throw new WechatError(61013);
  account.options[name] = value;
  return OK;
}

function optionOf({ body }: ApiCall): { name: string; values: readonly string[] } {
  const name = String(body.option_name);
  const values = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (!values) throw new WechatError(61012);
  return { name, values };
}

/** @throws WechatError 41002, 61003, 48001 (not an official account). */
function accountOf({ world, body, caller }: ApiCall): Account {
  const appId = caller.kind === 'authorizer' ? caller.appId : text(body, 'authorizer_appid', 41002);
  const account = world.accounts.find(appId);
  if (!account?.grant) throw new WechatError(61003);
  if (account.kind !== 'official_account' && account.kind !== 'service_account') throw new WechatError(48001);
  return account;
}
