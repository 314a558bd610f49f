import { Client, type ClientConfig } from 'pg';

/** A server that is there ends a statement at its `statement_timeout`, and says so. So much later, nobody is there. */
const ANSWER_MARGIN_MS = 1_000;
const LONGER = /^\s*set\s+local\s+statement_timeout\s*(?:=|to)\s*'?(\d+)/i;
const TRANSACTION_ENDS = /^\s*(?:commit|rollback)\s*;?\s*$/i;

/**
 * A connection that notices when nobody answers any more, and is not used again then.
 *
 * The server limits every statement (`statement_timeout`, which a transaction may change by `set local statement_timeout = …`, in
 * milliseconds; 0 for none). When even the limit passes without an answer, the statement fails and the connection breaks, so that
 * neither a rollback nor the next to use it waits in its turn.
 */
export class SteadyClient extends Client {
  private limitMs: number;

  constructor(config?: string | ClientConfig) {
    super(config);
    const ordinaryMs = (typeof config === 'object' && config.statement_timeout) || 0;
    this.limitMs = ordinaryMs;
    // Breaking is told by the statement that it fails. Unheard, its event would end the process, and TypeORM hears it only later.
    this.on('error', () => undefined);
    const send = this.query.bind(this) as (statement: unknown, ...rest: unknown[]) => unknown;
    this.query = ((statement: unknown, ...rest: unknown[]) => {
      if (typeof statement !== 'string') return send(statement, ...rest);
      const longer = LONGER.exec(statement)?.[1];
      if (longer !== undefined) this.limitMs = Number(longer);
      const answer = send(this.limited(statement), ...rest);
      if (TRANSACTION_ENDS.test(statement)) this.limitMs = ordinaryMs;
      if (answer instanceof Promise) answer.catch((error: Error) => this.breakOff(error));
      return answer;
    }) as Client['query'];
  }

  private limited(text: string): unknown {
    return this.limitMs === 0 ? text : { text, query_timeout: this.limitMs + ANSWER_MARGIN_MS };
  }

  private breakOff({ message }: Error): void {
    if (message === 'Query read timeout') this.connection.stream.destroy();
  }
}
