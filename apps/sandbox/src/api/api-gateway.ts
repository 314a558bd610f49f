import { setTimeout as sleep } from 'node:timers/promises';
import { BROKEN_CONNECTION, type Handler, type HttpReply, type HttpRequest, json } from '../http.js';
import { mint } from '../state/mint.js';
import { errmsgOf, WechatError } from '../wechat-error.js';
import { type World } from '../world.js';
import { authorizerApis } from './authorizer-apis.js';
import { type ApiBody, type Caller, checkComponentAppId, type ComponentApi } from './component-api.js';
import { type Fault } from './fault-plan.js';
import { optionApis } from './option-apis.js';
import { platformApis } from './platform-apis.js';
import { Quota, quotaApis } from './quota-apis.js';
import { RidLog } from './rid-log.js';

/** Clients must not rely on the content type, so the sandbox answers both that were seen. */
const CONTENT_TYPES = ['application/json; encoding=utf-8', 'text/plain'];

/** The front door of api.weixin.qq.com: faults first, then method, token and body, then the API itself. */
export class ApiGateway {
  private readonly quota = new Quota();
  private readonly rids = new RidLog();
  private readonly apis: ReadonlyMap<string, ComponentApi>;
  private readonly closing = new AbortController();
  private answered = 0;

  constructor(private readonly world: World) {
    const apis = [
      ...platformApis,
      ...authorizerApis,
      ...optionApis,
      ...quotaApis(this.quota, (path) => this.apis.has(path)),
      this.rids.api,
    ];
    this.apis = new Map(apis.map((api) => [api.path, api]));
  }

  get paths(): string[] {
    return [...this.apis.keys()];
  }

  readonly handle: Handler = async (request) => {
    const api = this.apis.get(request.path);
    if (!api) return this.error(request, 40066);
    const count = this.world.counters.path(api.path);
    count.calls += 1;
    const fault = this.world.faults.strike(api.path);
    if (!fault) return this.process(api, request);
    count.faults += 1;
    return this.spoil(fault, api, request);
  };

  /** Ends hanging calls. */
  close(): void {
    this.closing.abort();
  }

  private async spoil(
    fault: Fault,
    api: ComponentApi,
    request: HttpRequest,
  ): Promise<HttpReply | typeof BROKEN_CONNECTION> {
    switch (fault.kind) {
      case 'http':
        return {
          status: fault.status ?? 500,
          headers: { 'content-type': 'text/html' },
          body: '<html>Server Error</html>',
        };
      case 'garbage':
        return { status: 200, headers: { 'content-type': 'text/plain' }, body: '{"component_access_tok\u0000<!-- ' };
      case 'errcode':
        return this.error(request, fault.errcode);
      case 'hang':
        await sleep(fault.ms, undefined, { signal: this.closing.signal }).catch(() => undefined);
        return this.process(api, request);
      case 'reset-before':
        return BROKEN_CONNECTION;
      case 'reset-after':
        this.process(api, request);
        return BROKEN_CONNECTION;
      default:
        return fault satisfies never;
    }
  }

  private process(api: ComponentApi, request: HttpRequest): HttpReply {
    const count = this.world.counters.path(api.path);
    this.quota.count(api.path);
    try {
      const reply = this.reply(this.answer(api, request));
      count.successes += 1;
      return reply;
    } catch (error) {
      if (!(error instanceof WechatError)) throw error;
      count.errors += 1;
      return this.error(request, error.errcode);
    }
  }

  private answer(api: ComponentApi, request: HttpRequest): object {
    if (request.method !== api.method) throw new WechatError(api.method === 'POST' ? 43002 : 43001);
    const caller = this.callerOf(api, request.query);
    const body = api.method === 'POST' ? parseBody(request.body) : {};
    if (api.token === 'component') checkComponentAppId({ world: this.world, body });
    return api.answer({ world: this.world, body, caller });
  }

  private callerOf(api: ComponentApi, query: URLSearchParams): Caller {
    if (api.token === 'none') return { kind: 'nobody' };
    const token = query.get('component_access_token') ?? query.get('access_token');
    if (!token) throw new WechatError(41001);
    const authorizer = this.world.authorizations.accessTokenState(token);
    const state = authorizer?.state ?? this.world.platform.tokenState(token);
    if (state === 'unknown') throw new WechatError(40001);
    if (state === 'expired') throw new WechatError(42001);
    if (!authorizer) return { kind: 'component' };
    if (api.token === 'component') throw new WechatError(61014);
    return { kind: 'authorizer', appId: authorizer.appId };
  }

  private reply(body: object): HttpReply {
    this.answered += 1;
    return json(body, 200, CONTENT_TYPES[this.answered % CONTENT_TYPES.length]);
  }

  private error(request: HttpRequest, errcode: number): HttpReply {
    const now = this.world.clock.seconds();
    const rid = mint.rid(now);
    const reply = this.reply({ errcode, errmsg: `${errmsgOf(errcode)} rid: ${rid}` });
    this.rids.note(rid, request, reply.body, now);
    return reply;
  }
}

/** @throws WechatError 44002 or 47001. */
function parseBody(body: string): ApiBody {
  if (body.trim() === '') throw new WechatError(44002);
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as ApiBody;
  } catch {
    // answered below: not JSON and not an object are the same to WeChat
  }
  throw new WechatError(47001);
}
