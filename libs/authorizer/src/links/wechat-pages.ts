/** Which kinds of account WeChat offers: 1 official accounts, 2 mini programs, 3 both, 4 promoters, 5 channels, 6 all of these, 8 talents. */
export const AUTH_TYPES = [1, 2, 3, 4, 5, 6, 8] as const;
export type AuthType = (typeof AUTH_TYPES)[number];

const DEFAULT_AUTH_TYPE: AuthType = 3;

/** What WeChat's page is to offer, and where it sends the merchant afterwards. */
export interface AuthorizationRequest {
  readonly componentAppId: string;
  readonly preAuthCode: string;
  readonly redirectUri: string;
  readonly authType: AuthType | null;
  /** The only account that can authorize. WeChat then ignores the type. */
  readonly authorizerAppId: string | null;
  /** The permission sets to ask for; all of the platform's when empty. */
  readonly permissionIds: readonly number[];
}

/** WeChat's own pages: one for the computer, one for the phone, opened inside WeChat. */
export interface WechatPages {
  readonly desktopUrl: string;
  readonly mobileUrl: string;
}

/**
 * Builds the addresses of WeChat's authorization pages.
 *
 * @param standIn the origin that stands in for WeChat's pages in development, or null for WeChat itself
 * @see https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Authorization_Process_Technical_Description.html
 */
export function wechatPages(standIn: string | null, request: AuthorizationRequest): WechatPages {
  const query = queryOf(request);
  const desktop = `${standIn ?? 'https://mp.weixin.qq.com'}/cgi-bin/componentloginpage`;
  const mobile = `${standIn ?? 'https://open.weixin.qq.com'}/wxaopen/safe/bindcomponent`;
  return {
    desktopUrl: `${desktop}?${query}`,
    mobileUrl: `${mobile}?action=bindcomponent&no_scan=1&${query}#wechat_redirect`,
  };
}

function queryOf({
  componentAppId,
  preAuthCode,
  redirectUri,
  authType,
  authorizerAppId,
  permissionIds,
}: AuthorizationRequest): string {
  const query = new URLSearchParams({
    component_appid: componentAppId,
    pre_auth_code: preAuthCode,
    redirect_uri: redirectUri,
    auth_type: String(authType ?? DEFAULT_AUTH_TYPE),
  });
  if (authorizerAppId !== null) query.set('biz_appid', authorizerAppId);
  if (permissionIds.length > 0) query.set('category_id_list', permissionIds.join('|'));
  return query.toString();
}
