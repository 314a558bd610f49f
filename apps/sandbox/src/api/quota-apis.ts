import { RecentMap } from '../recent-map.js';
import { WechatError } from '../wechat-error.js';
import { checkComponentAppId, checkSecret, type ComponentApi, OK, text } from './component-api.js';

const DAILY_LIMIT = 10_000;
const CLEARS_PER_MONTH = 10;

/** Calls counted against the daily limits, which the sandbox reports and, unless told to by a fault, never enforces. */
export class Quota {
  private readonly used = new RecentMap<string, number>(200);
  private clears = 0;

  count(path: string): void {
    this.used.set(path, (this.used.get(path) ?? 0) + 1);
  }

  usedOf(path: string): number {
    return this.used.get(path) ?? 0;
  }

  /** @throws WechatError 48006 after ten times. */
  clear(): void {
    if (this.clears >= CLEARS_PER_MONTH) throw new WechatError(48006);
    this.clears += 1;
    this.used.clear();
  }
}

export function quotaApis(quota: Quota, knows: (path: string) => boolean): ComponentApi[] {
  return [
    {
      path: '/cgi-bin/openapi/quota/get',
      method: 'POST',
      token: 'any',
      answer({ body }) {
        const path = text(body, 'cgi_path', 40097);
        if (!path.startsWith('/')) throw new WechatError(76003);
        if (!knows(path)) throw new WechatError(76021);
        const used = quota.usedOf(path);
        const rate = { call_count: 1000, refresh_second: 60 };
        const daily = { daily_limit: DAILY_LIMIT, used, remain: Math.max(0, DAILY_LIMIT - used) };
        return { ...OK, quota: daily, rate_limit: rate, component_rate_limit: rate };
      },
    },
    {
      path: '/cgi-bin/clear_quota',
      method: 'POST',
      token: 'any',
      answer({ world, body, caller }) {
        const own = caller.kind === 'authorizer' ? caller.appId : world.credentials.componentAppId;
        if (text(body, 'appid', 41002) !== own) throw new WechatError(40013);
        quota.clear();
        return OK;
      },
    },
    {
      path: '/cgi-bin/component/clear_quota/v2',
      method: 'POST',
      token: 'none',
      answer(call) {
        checkComponentAppId(call);
        checkSecret(call, 'appsecret');
        quota.clear();
        return OK;
      },
    },
  ];
}
