import { RecentMap } from '../recent-map.js';

export interface PathCount {
  /** Requests that arrived. */
  calls: number;
  /** Processed without errcode, whether or not the reply got through. */
  successes: number;
  /** Answered with an errcode of their own accord. */
  errors: number;
  /** Struck by an injected fault. */
  faults: number;
}

export type Count = Pick<PathCount, 'calls' | 'successes'>;

export interface CounterSnapshot {
  paths: Record<string, PathCount>;
  /** api_query_auth per authorization code. */
  codes: Record<string, Count>;
  /** api_authorizer_token per authorizer appid. */
  authorizerTokens: Record<string, Count>;
}

/** How often the platform called what, so that a test can say "once, however many asked". */
export class CallCounters {
  private readonly paths = new RecentMap<string, PathCount>(200);
  private readonly codes = new RecentMap<string, Count>(100_000);
  private readonly authorizerTokens = new RecentMap<string, Count>(100_000);

  /** Counts of one API, by path or its last part; zeros when it was never called. */
  of(path: string): Readonly<PathCount> {
    const full = [...this.paths.keys()].find((known) => known === path || known.endsWith(`/${path}`));
    return { ...(this.paths.get(full ?? path) ?? { calls: 0, successes: 0, errors: 0, faults: 0 }) };
  }

  ofCode(code: string): Readonly<Count> {
    return { ...(this.codes.get(code) ?? { calls: 0, successes: 0 }) };
  }

  ofAuthorizerToken(appId: string): Readonly<Count> {
    return { ...(this.authorizerTokens.get(appId) ?? { calls: 0, successes: 0 }) };
  }

  path(path: string): PathCount {
    return entry(this.paths, path, () => ({ calls: 0, successes: 0, errors: 0, faults: 0 }));
  }

  code(code: string): Count {
    return entry(this.codes, code, () => ({ calls: 0, successes: 0 }));
  }

  authorizerToken(appId: string): Count {
    return entry(this.authorizerTokens, appId, () => ({ calls: 0, successes: 0 }));
  }

  snapshot(): CounterSnapshot {
    return structuredClone({
      paths: Object.fromEntries(this.paths),
      codes: Object.fromEntries(this.codes),
      authorizerTokens: Object.fromEntries(this.authorizerTokens),
    });
  }

  reset(): void {
    this.paths.clear();
    this.codes.clear();
    this.authorizerTokens.clear();
  }
}

function entry<V>(map: Map<string, V>, key: string, zero: () => V): V {
  const known = map.get(key);
  if (known) return known;
  const created = zero();
  map.set(key, created);
  return created;
}
