import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';

/** A request as it arrived. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
  /** The port at the caller's end: the same number means the same connection. */
  readonly remotePort: number | undefined;
}

type Answer = (response: ServerResponse, arrived: Arrived) => void;

/** For tests: an HTTP server that answers what it was told to, in turn, and repeats the last answer. */
export class ScriptedWechat {
  readonly arrived: Arrived[] = [];
  private readonly server: Server;
  private script: Answer[] = [];

  constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.answer(request, response, Buffer.concat(chunks).toString()));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get last(): Arrived {
    const last = this.arrived.at(-1);
    if (!last) throw new Error('nothing has arrived');
    return last;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** What comes next: an object or text is sent with status 200, a function answers by itself. */
  answers(...script: (object | string | Answer)[]): void {
    this.arrived.length = 0;
    this.script = script.map((step): Answer => {
      if (typeof step === 'function') return step as Answer;
      return (response) => response.end(typeof step === 'string' ? step : JSON.stringify(step));
    });
  }

  private answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const url = new URL(request.url ?? '/', 'http://x');
    const arrived: Arrived = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      body: body === '' ? undefined : (JSON.parse(body) as unknown),
      headers: request.headers,
      remotePort: request.socket.remotePort,
    };
    this.arrived.push(arrived);
    const next = this.script.length > 1 ? this.script.shift() : this.script[0];
    if (next) next(response, arrived);
    else response.writeHead(599).end();
  }
}
