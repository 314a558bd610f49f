import { type LoggerService } from '@nestjs/common';
import { type Logger } from 'pino';

/** Lets Nest and the libs log through pino: one JSON line each, with the context as a field. */
export class PinoLogger implements LoggerService {
  constructor(private readonly pino: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.pino.info(...line(message, rest));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.pino.error(...line(message, rest));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.pino.warn(...line(message, rest));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.pino.debug(...line(message, rest));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.pino.trace(...line(message, rest));
  }
}

/** Nest passes the context last, and for errors a stack before it. */
function line(message: unknown, rest: unknown[]): [object, string] {
  const context = rest.at(-1);
  const stack = rest.length > 1 ? rest[0] : undefined;
  return [{ context, ...(typeof stack === 'string' ? { stack } : {}) }, String(message)];
}
