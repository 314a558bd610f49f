import { type Account, type Grant } from '../state/account.js';
import { TOKEN_SECONDS } from '../state/platform.js';
import { funcInfo, profileOf } from '../state/profile.js';
import { WechatError } from '../wechat-error.js';
import { type World } from '../world.js';
import { type ApiBody, type ComponentApi, text } from './component-api.js';

const LIST_COUNT_LIMIT = 500;

/** What the platform asks about those who authorized it. */
export const authorizerApis: ComponentApi[] = [
  {
    path: '/cgi-bin/component/api_query_auth',
    method: 'POST',
    token: 'component',
    answer({ world, body }) {
      const count = world.counters.code(String(body.authorization_code));
      count.calls += 1;
      const account = world.authorizations.exchange(body.authorization_code);
      count.successes += 1;
      return {
        authorization_info: {
          authorizer_appid: account.appId,
          ...tokens(world, account),
          func_info: funcInfo(account.grant.funcIds),
        },
      };
    },
  },
  {
    path: '/cgi-bin/component/api_authorizer_token',
    method: 'POST',
    token: 'component',
    answer({ world, body }) {
      const appId = text(body, 'authorizer_appid', 41002);
      const count = world.counters.authorizerToken(appId);
      count.calls += 1;
      if (body.authorizer_refresh_token === undefined) throw new WechatError(41003);
      const account = world.authorizations.refresh(appId, body.authorizer_refresh_token);
      count.successes += 1;
      return tokens(world, account);
    },
  },
  {
    path: '/cgi-bin/component/api_get_authorizer_info',
    method: 'POST',
    token: 'component',
    answer({ world, body }) {
      const account = world.accounts.find(appIdOf(body));
      if (!account?.grant) throw new WechatError(61003);
      return {
        authorizer_info: profileOf(account),
        authorization_info: {
          authorizer_appid: account.appId,
          ...visibleRefreshToken(account, account.grant, 'authorizer_refresh_token'),
          func_info: funcInfo(account.grant.funcIds),
        },
      };
    },
  },
  {
    path: '/cgi-bin/component/api_get_authorizer_list',
    method: 'POST',
    token: 'component',
    answer({ world, body }) {
      const offset = wholeNumber(body.offset);
      const count = wholeNumber(body.count);
      if (count > LIST_COUNT_LIMIT) throw new WechatError(40170);
      const all = world.accounts.authorized();
      return { total_count: all.length, list: all.slice(offset, offset + count).flatMap(listEntry) };
    },
  },
];

/** Accounts without API ability get none. */
function tokens(world: World, account: Account & { grant: Grant }): object {
  if (!account.hasApiAbility) return {};
  return {
    authorizer_access_token: world.authorizations.issueAccessToken(account),
    expires_in: TOKEN_SECONDS,
    authorizer_refresh_token: account.grant.refreshToken,
  };
}

/** WeChat does not show a refresh token before a code was exchanged. */
function visibleRefreshToken(account: Account, grant: Grant, name: string): object {
  return grant.exchanged && account.hasApiAbility ? { [name]: grant.refreshToken } : {};
}

function listEntry(account: Account): object[] {
  if (!account.grant) return [];
  const { grant } = account;
  const refreshToken = visibleRefreshToken(account, grant, 'refresh_token');
  return [{ authorizer_appid: account.appId, ...refreshToken, auth_time: grant.authTime }];
}

function appIdOf(body: ApiBody): string {
  const appId = text(body, 'authorizer_appid', 41002);
  if (!/^wx[0-9a-f]{16}$/.test(appId)) throw new WechatError(40013);
  return appId;
}

function wholeNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw new WechatError(40097);
  return value;
}
