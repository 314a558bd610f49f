import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { BROKEN_CONNECTION, type Handler, type HttpReply, json } from './http.js';

const BODY_LIMIT = 1024 * 1024;

/** Serves one handler over plain HTTP. */
export class HttpServer {
  private readonly server: Server;

  constructor(private readonly handler: Handler) {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  /** The port it got. @throws the system's error, e.g. EADDRINUSE. */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** Drops the connections that are still open, hanging calls included. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const reply = await this.answer(request);
      if (reply === BROKEN_CONNECTION) request.socket.resetAndDestroy();
      else response.writeHead(reply.status, reply.headers).end(reply.body);
    } catch (error) {
      if (response.writableEnded || request.socket.destroyed) return;
      const { status, body } = json({ error: error instanceof Error ? error.message : 'failed' }, 500);
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    }
  }

  private async answer(request: IncomingMessage): Promise<HttpReply | typeof BROKEN_CONNECTION> {
    const url = new URL(request.url ?? '/', 'http://sandbox');
    const body = await readBody(request);
    if (body === null) return json({ error: 'The body is larger than 1 MiB' }, 413);
    return this.handler({
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    });
  }
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
