import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SANDBOX_CREDENTIALS } from '../src/options.js';
import { MessageCrypt } from '../src/push/message-crypt.js';

export interface ReceivedPush {
  url: URL;
  body: string;
  xml: string;
  isAuthentic: boolean;
}

/** A platform's receive URL that opens what it is sent. */
export interface Receiver {
  url: string;
  pushes: ReceivedPush[];
  /** How it answers; default `success`. */
  answer: (response: ServerResponse) => void;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const server = createServer((request, response) => {
    void receive(request).then((push) => {
      receiver.pushes.push(push);
      receiver.answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/receive`,
    pushes: [],
    answer: (response) => response.end('success'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

/** The elements of a push in the order they came, without nesting. */
export function elementsOf(push: ReceivedPush | undefined): Record<string, string> {
  const found = (push?.xml ?? '').matchAll(/<(\w+)>(?:<!\[CDATA\[([\s\S]*?)\]\]>|([^<]*))<\/\1>/g);
  return Object.fromEntries([...found].map(([, name = '', cdata, plain]) => [name, cdata ?? plain ?? '']));
}

async function receive(request: IncomingMessage): Promise<ReceivedPush> {
  const { token, encodingAesKey, componentAppId } = SANDBOX_CREDENTIALS;
  const crypt = new MessageCrypt(token, encodingAesKey, componentAppId);
  const url = new URL(request.url ?? '', 'http://receiver');
  const body = await text(request);
  const ciphertext = /<Encrypt><!\[CDATA\[(.+)\]\]>/.exec(body)?.[1] ?? '';
  const stamp = { timestamp: url.searchParams.get('timestamp') ?? '', nonce: url.searchParams.get('nonce') ?? '' };
  const isAuthentic = crypt.sign(stamp, ciphertext) === url.searchParams.get('msg_signature');
  return { url, body, xml: isAuthentic ? crypt.decrypt(ciphertext).message : '', isAuthentic };
}
