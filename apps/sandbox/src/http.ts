import { type IncomingHttpHeaders } from 'node:http';

export interface HttpRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface HttpReply {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Instead of a reply: the connection breaks. */
export const BROKEN_CONNECTION = Symbol('broken connection');

export type Handler = (
  request: HttpRequest,
) => HttpReply | typeof BROKEN_CONNECTION | Promise<HttpReply | typeof BROKEN_CONNECTION>;

export function json(body: unknown, status = 200, contentType = 'application/json; charset=utf-8'): HttpReply {
  return { status, headers: { 'content-type': contentType, 'cache-control': 'no-store' }, body: JSON.stringify(body) };
}
