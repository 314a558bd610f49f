import { eventually } from './eventually.js';
import { type Answer, type TestPlatform } from './platform.js';

export interface Link {
  readonly id: string;
  readonly url: string;
  readonly desktopUrl: string;
  readonly mobileUrl: string;
  readonly expiresAt: string;
  readonly status: string;
}

export interface ListedLink extends Link {
  readonly tenantId: string | null;
  readonly authorizerAppId: string | null;
  readonly authorizer: { appId: string; nickName: string | null } | null;
  readonly conflicts: readonly {
    authorizerAppId: string;
    reason: string;
    tenantId: string | null;
    resolution: string | null;
    resolvedBy: string | null;
  }[];
}

export interface Authorizer {
  readonly status: string;
  readonly tenantId: string | null;
  readonly state: string | null;
  readonly credential: { status: string };
}

const LINKS = '/admin/wechat/authorization-links';

/** What operators, merchants and their browsers do about authorization links. */
export class Merchant {
  constructor(private readonly t: TestPlatform) {}

  /** Waits for the first ticket, without which WeChat gives no code. */
  createLink(wish: object = {}): Promise<Link> {
    return eventually(async () => {
      const { status, body } = await this.t.post<Link>(LINKS, wish);
      expect(status).toBe(201);
      return body;
    });
  }

  async listed(link: Link): Promise<ListedLink> {
    const { body } = await this.t.get<{ items: ListedLink[] }>(`${LINKS}?limit=200`);
    const found = body.items.find(({ id }) => id === link.id);
    if (!found) throw new Error('The link is not in the list');
    return found;
  }

  newAccount(nickName = '街角咖啡'): string {
    return this.t.sandbox.world.addAccount({ kind: 'mini_program', nickName }).appId;
  }

  /** Waits until the record of the account says so. */
  becomes(appId: string, facts: object): Promise<void> {
    return eventually(async () => expect(await this.authorizer(appId)).toMatchObject(facts));
  }

  async authorizer(appId: string): Promise<Authorizer> {
    return (await this.t.get<Authorizer>(`/admin/wechat/authorizers/${appId}`)).body;
  }

  open(id: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    return this.t.request(method, `/social/with/wechat/authorize/${id}`, { key: null, headers });
  }

  /** What WeChat's redirect does: home, with the code. */
  comeHome(link: Link, code: string, changes: Record<string, string> = {}): Promise<Answer> {
    const home = new URL(read(link.desktopUrl).redirect_uri!);
    for (const [name, value] of Object.entries({ auth_code: code, expires_in: '3600', ...changes }))
      home.searchParams.set(name, value);
    return this.t.request('GET', home.pathname + home.search, { key: null, headers: { 'accept-language': 'en' } });
  }
}

/** Asks, so many times at once, until one is refused as too many. */
export async function comeToTheEnd(ask: () => Promise<Answer>, atOnce: number): Promise<Answer> {
  for (let asked = 0; asked < 500; asked += atOnce) {
    const answers = await Promise.all(Array.from({ length: atOnce }, ask));
    const refused = answers.find(({ status }) => status === 429);
    if (refused) return refused;
  }
  throw new Error('Nobody was ever refused');
}

/** The parameters of one of WeChat's addresses. */
export function read(url: string): Record<string, string> {
  return Object.fromEntries(new URL(url).searchParams);
}

export function preAuthCodeOf({ desktopUrl }: Link): string {
  return read(desktopUrl).pre_auth_code!;
}
