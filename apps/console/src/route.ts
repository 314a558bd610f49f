import { createStore } from './store.js';

/** Where the user is: `#/events/<id>?status=failed` is the path `['events', '<id>']` with a query. */
export interface Route {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export type Query = Readonly<Record<string, string | null | undefined>>;

export function parseHash(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  return { path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

/** The address of a place in the console. */
export function href(path: readonly string[], query: Query | URLSearchParams = {}): string {
  const entries = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  const set = entries.filter((entry): entry is [string, string] => !!entry[1]);
  const search = new URLSearchParams(set).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${search && `?${search}`}`;
}

/** The query with something changed. What leads to another list starts at its first page. */
export function changed(query: URLSearchParams, changes: Query): Query {
  return { ...Object.fromEntries(query), cursor: null, ...changes };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const route = createStore<Route>(parseHash(globalThis.location?.hash ?? ''));
/** The last address of each list, so that the way back from one entry leads to where one came from. */
const lists = new Map<string, string>();

export function followAddress(): void {
  addEventListener('hashchange', readAddress);
  readAddress();
}

/** Goes to a place. Of the place where one is the browser says nothing: what is there is asked for again. */
export function go(address: string): void {
  const before = location.hash;
  location.hash = address;
  if (location.hash === before) readAddress();
}

function readAddress(): void {
  const next = parseHash(location.hash);
  if (next.path.length === 1) lists.set(next.path[0]!, location.hash);
  route.set(next);
}

/** The list that an entry was opened from, as it was filtered then. */
export function wayBackTo(list: string): string {
  return lists.get(list) ?? href([list]);
}
