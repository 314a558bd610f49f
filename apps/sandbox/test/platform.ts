import { SANDBOX_CREDENTIALS } from '../src/options.js';
import { type Sandbox } from '../src/create-sandbox.js';

export type Answer = Record<string, unknown>;

const { componentAppId, componentAppSecret } = SANDBOX_CREDENTIALS;

/** A third-party platform calling the sandbox's APIs by their short names. */
export class TestPlatform {
  private token = '';

  constructor(private readonly sandbox: Sandbox) {}

  /** Calls without a token and with exactly this body. */
  async raw(path: string, body: string | undefined, query = '', method = 'POST'): Promise<Answer> {
    const response = await fetch(`${this.sandbox.url}${path}${query}`, { method, ...(body !== undefined && { body }) });
    return JSON.parse(await response.text()) as Answer;
  }

  /** Calls a component API with its token and appid. */
  async call(name: string, body: Answer = {}, tokenName = 'component_access_token'): Promise<Answer> {
    if (this.token === '') this.token = await this.componentToken();
    const path = name.startsWith('/') ? name : `/cgi-bin/component/${name}`;
    const query = `?${tokenName}=${encodeURIComponent(this.token)}`;
    return this.raw(path, JSON.stringify({ component_appid: componentAppId, ...body }), query);
  }

  async componentToken(): Promise<string> {
    const answer = await this.askComponentToken({});
    return String(answer.component_access_token);
  }

  askComponentToken(changes: Answer): Promise<Answer> {
    const body = {
      component_appid: componentAppId,
      component_appsecret: componentAppSecret,
      component_verify_ticket: this.sandbox.world.platform.issueTicket(),
      ...changes,
    };
    return this.raw('/cgi-bin/component/api_component_token', JSON.stringify(body));
  }

  useToken(token: string): void {
    this.token = token;
  }
}
