import { type HttpReply, type HttpRequest } from '../http.js';
import { type World } from '../world.js';
import {
  type AuthorizationRequest,
  checkEntryPage,
  readAuthorizationRequest,
  Refusal,
} from './authorization-request.js';
import { authorizationPage, refusalPage } from './merchant-html.js';

const PC_PAGE = '/cgi-bin/componentloginpage';
const H5_PAGES = ['/wxaopen/safe/bindcomponent', '/safe/bindcomponent'];

/** The pages on which a merchant's admin picks an account and confirms. */
export class MerchantPages {
  constructor(private readonly world: World) {}

  serves(path: string): boolean {
    return path === PC_PAGE || H5_PAGES.includes(path);
  }

  handle(request: HttpRequest): HttpReply {
    try {
      const asked = readAuthorizationRequest(this.world, request.query);
      if (request.method === 'POST') return this.confirm(asked, new URLSearchParams(request.body));
      if (request.path === PC_PAGE) checkEntryPage(request, asked.redirectUri);
      const action = `${request.path}?${request.query.toString()}`;
      return html(authorizationPage(asked, action), asked.redirectUri.origin);
    } catch (error) {
      if (error instanceof Refusal) return html(refusalPage(error.message));
      throw error;
    }
  }

  /** The pre-auth code is spent, the push leaves, and the browser goes home with the code at the same time. */
  private confirm({ preAuthCode, redirectUri, offers }: AuthorizationRequest, form: URLSearchParams): HttpReply {
    const offer = offers.find(({ account }) => account.appId === form.get('app_id'));
    if (!offer) throw new Refusal('该账号不能授权');
    const funcIds = form
      .getAll('func_id')
      .map(Number)
      .filter((id) => offer.funcIds.includes(id));
    this.world.platform.usePreAuthCode(preAuthCode);
    const { redirectCode, expiresIn } = this.world.grant(offer.account.appId, { funcIds, preAuthCode });
    redirectUri.searchParams.append('auth_code', redirectCode);
    redirectUri.searchParams.append('expires_in', String(expiresIn));
    return { status: 302, headers: { location: redirectUri.href, 'cache-control': 'no-store' }, body: '' };
  }
}

/** Browsers check `form-action` against the redirect that follows a form, too. */
function html(body: string, formTarget = ''): HttpReply {
  const csp = `default-src 'none'; style-src 'self'; img-src data:; form-action 'self' ${formTarget}; base-uri 'none'; frame-ancestors 'none'`;
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': csp,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
    body,
  };
}
