import { STATUS_CODES } from 'node:http';
import { type Socket } from 'node:net';
import { FIXED_HEADERS } from './browser-protection.js';

const STATUS_BY_CODE: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };
const TITLES: Readonly<Record<number, string>> = {
  400: 'This is not HTTP',
  408: 'The request took too long to arrive',
  431: 'The address and the header fields are larger than 16 KiB',
};

/** Answers what never became a request, because Node could not read it, as a problem too. The connection ends with it. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = STATUS_BY_CODE[error.code ?? ''] ?? 400;
  const body = JSON.stringify({ type: 'about:blank', title: TITLES[status], status, code: `HTTP_${status}` });
  const fields = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(FIXED_HEADERS).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ];
  socket.end(`${fields.join('\r\n')}\r\n\r\n${body}`);
}
