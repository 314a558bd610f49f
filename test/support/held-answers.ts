import { createServer, request as forward, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';

/** One call that WeChat has answered, and whose answer has not arrived. */
export interface HeldAnswer {
  /** Resolves once WeChat has answered. */
  readonly given: Promise<void>;
  release(): void;
}

/** WeChat, reached by a way on which answers can be kept back: what it did is done, and nobody here knows yet. */
export interface HeldAnswers {
  readonly url: string;
  /** Keeps back the next answer of that API. */
  hold(api: string): HeldAnswer;
  /** Puts another body in the place of the next answer of that API. */
  falsify(api: string, change: (answer: Record<string, unknown>) => unknown): void;
  close(): Promise<void>;
}

type Treatment = (body: string, answer: (body: string) => void) => void;

export async function startHeldAnswers(target: () => string): Promise<HeldAnswers> {
  const treatments: { readonly api: string; readonly treat: Treatment }[] = [];
  const treatmentOf = (path: string): Treatment => {
    const index = treatments.findIndex(({ api }) => new URL(path, 'http://x').pathname.endsWith(`/${api}`));
    return index < 0 ? (body, answer) => answer(body) : treatments.splice(index, 1)[0]!.treat;
  };
  const server = createServer((request, response) => {
    const treat = treatmentOf(request.url ?? '/');
    const passed = forward(
      new URL(request.url ?? '/', target()),
      { method: request.method, headers: request.headers },
      (reply) => {
        let body = '';
        reply.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        reply.on('end', () => treat(body, (text) => send(response, reply.statusCode ?? 502, text)));
      },
    );
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold(api) {
      let isGiven: () => void = () => undefined;
      let release: () => void = () => undefined;
      const given = new Promise<void>((resolve) => (isGiven = resolve));
      const released = new Promise<void>((resolve) => (release = resolve));
      treatments.push({
        api,
        treat: (body, answer) => {
          isGiven();
          void released.then(() => answer(body));
        },
      });
      return { given, release: () => release() };
    },
    falsify(api, change) {
      treatments.push({
        api,
        treat: (body, answer) => answer(JSON.stringify(change(JSON.parse(body) as Record<string, unknown>))),
      });
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function send(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}
