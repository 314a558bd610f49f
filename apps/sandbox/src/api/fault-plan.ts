/** What can go wrong on the way to WeChat. */
export type FaultKind =
  | { kind: 'http'; status?: number }
  | { kind: 'garbage' }
  | { kind: 'errcode'; errcode: number }
  /** Answers properly, after this long. */
  | { kind: 'hang'; ms: number }
  /** The connection breaks and nothing happened. */
  | { kind: 'reset-before' }
  /** Everything happened, and the reply is lost. */
  | { kind: 'reset-after' };

export type Fault = FaultKind & {
  /** An API's path or its last part (`api_query_auth`); default: all of them. */
  path?: string;
  /** 0–1, default 1. */
  probability?: number;
  /** Strikes this often, then is gone; default: until cleared. */
  times?: number;
  /** Makes `probability` strike in the same order every time. */
  seed?: number;
};

interface PlannedFault {
  readonly id: number;
  readonly fault: Fault;
  left: number;
  readonly random: () => number;
}

/** The faults waiting for a call. The first that matches and strikes is the call's fault. */
export class FaultPlan {
  private planned: PlannedFault[] = [];
  private lastId = 0;

  set(fault: Fault): number {
    const id = ++this.lastId;
    const random = fault.seed === undefined ? Math.random : seeded(fault.seed);
    this.planned.push({ id, fault, left: fault.times ?? Infinity, random });
    return id;
  }

  /** Takes back one fault, or all. */
  clear(id?: number): void {
    this.planned = id === undefined ? [] : this.planned.filter((planned) => planned.id !== id);
  }

  strike(path: string): Fault | null {
    const struck = this.planned.find(
      ({ fault, random }) => matches(fault.path, path) && random() < (fault.probability ?? 1),
    );
    if (!struck) return null;
    struck.left -= 1;
    if (struck.left <= 0) this.clear(struck.id);
    return struck.fault;
  }

  list(): { id: number; fault: Fault; left: number | null }[] {
    return this.planned.map(({ id, fault, left }) => ({ id, fault, left: Number.isFinite(left) ? left : null }));
  }
}

function matches(pattern: string | undefined, path: string): boolean {
  return pattern === undefined || pattern === '*' || path === pattern || path.endsWith(`/${pattern}`);
}

/** mulberry32: small, fast and the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
