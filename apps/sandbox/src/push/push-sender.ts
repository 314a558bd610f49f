import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type Clock } from '../clock.js';
import { type ComponentCredentials } from '../options.js';
import { MessageCrypt, type SealedMessage } from './message-crypt.js';
import { PushLog, type PushRecord } from './push-log.js';

export interface PushOptions {
  /** Unix seconds in the URL; default: when it is sent. */
  timestamp?: number;
  nonce?: string;
  /** Waits before sending, default the sender's `delayMs`. */
  delayMs?: number;
  /** Seals with other credentials than the platform's: a forged, misdirected or not yet rotated push. */
  sealWith?: { token?: string; encodingAesKey?: string; appId?: string };
}

const ANSWER_CHARACTERS = 2000;

/** Seals messages, sends them to the platform's receive URL and notes what came back. Never throws because of the receiver. */
export class PushSender {
  url: string | null;
  /** Every push waits this long before it is sent. */
  delayMs = 0;
  readonly log = new PushLog();
  private holding = false;
  private held: (() => Promise<PushRecord>)[] = [];
  private readonly agent = new Agent({ connect: { timeout: 5000 } });
  private readonly closing = new AbortController();

  constructor(
    private readonly credentials: ComponentCredentials,
    private readonly clock: Clock,
    url: string | null,
    private readonly timeoutMs: number,
  ) {
    this.url = url;
  }

  /** Resolves when the receiver has answered or failed; at once when pushes are held. */
  async send(xml: string, options: PushOptions = {}, repeatOf: number | null = null): Promise<PushRecord> {
    const push = this.log.open(xml, repeatOf);
    return this.dispatch(push.record, options.delayMs ?? this.delayMs, () => {
      push.sealed = this.seal(xml, options);
      return push.sealed;
    });
  }

  /** Sends an earlier push (default: the last) again, to the byte: same nonce, same signature. */
  async repeat(id?: number, delayMs = this.delayMs): Promise<PushRecord> {
    const original = this.log.sent(id);
    const push = this.log.open(original.record.xml, original.record.id);
    push.sealed = original.sealed;
    return this.dispatch(push.record, delayMs, () => original.sealed);
  }

  /** Sends the message of an earlier push (default: the last) again, newly sealed, as WeChat's own repeats are. */
  async repeatResealed(id?: number, options: PushOptions = {}): Promise<PushRecord> {
    const { record } = this.log.sent(id);
    return this.send(record.xml, options, record.id);
  }

  /** From now on pushes wait until they are released. */
  hold(): void {
    this.holding = true;
  }

  /** Sends what was held, one after the other, in this order; and holds no longer. */
  async release(order: 'as-sent' | 'reversed' = 'as-sent'): Promise<PushRecord[]> {
    const held = order === 'reversed' ? this.held.reverse() : this.held;
    this.held = [];
    this.holding = false;
    const records: PushRecord[] = [];
    for (const send of held) records.push(await send());
    return records;
  }

  get isHolding(): boolean {
    return this.holding;
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.agent.destroy();
  }

  private async dispatch(record: PushRecord, delayMs: number, seal: () => SealedMessage): Promise<PushRecord> {
    if (this.holding) {
      record.state = 'held';
      this.held.push(() => this.post(record, seal()));
      return record;
    }
    if (delayMs > 0) {
      record.state = 'delayed';
      const awake = await sleep(delayMs, true, { signal: this.closing.signal }).catch(() => false);
      if (!awake) return fail(record, 'The sandbox was closed before it was sent');
    }
    return this.post(record, seal());
  }

  private seal(xml: string, { timestamp, nonce, sealWith = {} }: PushOptions): SealedMessage {
    const { token, encodingAesKey, componentAppId } = this.credentials;
    const crypt = new MessageCrypt(
      sealWith.token ?? token,
      sealWith.encodingAesKey ?? encodingAesKey,
      sealWith.appId ?? componentAppId,
    );
    return crypt.seal(xml, {
      timestamp: String(timestamp ?? this.clock.seconds()),
      nonce: nonce ?? String(randomInt(100_000_000, 2_147_483_647)),
    });
  }

  private async post(record: PushRecord, sealed: SealedMessage): Promise<PushRecord> {
    if (this.url === null) return fail(record, 'No receive URL is set');
    const started = performance.now();
    record.state = 'sending';
    record.sentAt = new Date().toISOString();
    const late = AbortSignal.timeout(this.timeoutMs);
    try {
      const signal = AbortSignal.any([this.closing.signal, late]);
      const response = await request(withQuery(this.url, sealed.query), {
        method: 'POST',
        headers: { 'content-type': 'text/xml', 'user-agent': 'Mozilla/4.0', accept: '*/*' },
        body: sealed.body,
        dispatcher: this.agent,
        signal,
      });
      const answer = await response.body.text();
      record.state = 'answered';
      record.status = response.statusCode;
      record.answer = answer.slice(0, ANSWER_CHARACTERS);
      record.accepted = response.statusCode === 200 && answer === 'success';
    } catch (error) {
      // Asked for here too, so that Node 20 keeps it: a time-out that only AbortSignal.any knows may be cleared away.
      fail(record, late.aborted ? `No answer within ${this.timeoutMs} ms` : reasonOf(error));
    }
    record.ms = Math.round(performance.now() - started);
    return record;
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

function fail(record: PushRecord, error: string): PushRecord {
  record.state = 'failed';
  record.error = error;
  return record;
}

/** The receive URL may have a query of its own; WeChat appends to it. */
function withQuery(url: string, query: Record<string, string>): string {
  return `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(query).toString()}`;
}
