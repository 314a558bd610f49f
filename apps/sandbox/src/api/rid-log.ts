import { type HttpRequest } from '../http.js';
import { RecentMap } from '../recent-map.js';
import { WechatError } from '../wechat-error.js';
import { type ComponentApi, OK, text } from './component-api.js';

/** What rid/get tells about an earlier failure. Bodies and tokens are left out: they are secrets. */
export interface FailedCall {
  invoke_time: number;
  cost_in_ms: number;
  request_url: string;
  request_body: string;
  response_body: string;
  client_ip: string;
}

/** The failures that can be looked up by their rid. */
export class RidLog {
  private readonly calls = new RecentMap<string, FailedCall>(200);

  note(rid: string, request: HttpRequest, responseBody: string, unixSeconds: number): void {
    this.calls.set(rid, {
      invoke_time: unixSeconds,
      cost_in_ms: 1,
      request_url: request.path,
      request_body: '',
      response_body: responseBody,
      client_ip: '127.0.0.1',
    });
  }

  readonly api: ComponentApi = {
    path: '/cgi-bin/openapi/rid/get',
    method: 'POST',
    token: 'any',
    answer: ({ body }) => {
      const call = this.calls.get(text(body, 'rid', 76001));
      if (!call) throw new WechatError(76001);
      return { ...OK, request: call };
    },
  };
}
