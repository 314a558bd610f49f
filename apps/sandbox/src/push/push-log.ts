import { textOf } from './push-xml.js';
import { type SealedMessage } from './message-crypt.js';

/** One push and what the platform's server made of it. Filled in as it travels. */
export interface PushRecord {
  readonly id: number;
  readonly infoType: string | null;
  /** The account it is about; null for tickets. */
  readonly appId: string | null;
  readonly createTime: number | null;
  /** The message before sealing. */
  readonly xml: string;
  /** The push this one repeats. */
  readonly repeatOf: number | null;
  state: 'held' | 'delayed' | 'sending' | 'answered' | 'failed';
  sentAt: string | null;
  status: number | null;
  /** The first 2000 characters of the answer. */
  answer: string | null;
  ms: number | null;
  error: string | null;
  /** HTTP 200 and exactly `success`: the only answer WeChat takes for one. */
  accepted: boolean;
}

interface LoggedPush {
  record: PushRecord;
  /** What went over the wire, for a repeat to the byte. */
  sealed: SealedMessage | null;
}

const LIMIT = 200;

/** The last 200 pushes. */
export class PushLog {
  private pushes: LoggedPush[] = [];
  private lastId = 0;

  open(xml: string, repeatOf: number | null = null): LoggedPush {
    const createTime = Number(textOf(xml, 'CreateTime'));
    const push: LoggedPush = {
      record: {
        id: ++this.lastId,
        infoType: textOf(xml, 'InfoType'),
        appId: textOf(xml, 'AuthorizerAppid') ?? textOf(xml, 'appid'),
        createTime: createTime || null,
        xml,
        repeatOf,
        state: 'sending',
        sentAt: null,
        status: null,
        answer: null,
        ms: null,
        error: null,
        accepted: false,
      },
      sealed: null,
    };
    this.pushes.push(push);
    if (this.pushes.length > LIMIT) this.pushes.shift();
    return push;
  }

  /** Newest first. */
  records(): PushRecord[] {
    return this.pushes.map(({ record }) => record).reverse();
  }

  /** The push with this id, or the newest that was sent. @throws Error when there is none. */
  sent(id?: number): LoggedPush & { sealed: SealedMessage } {
    const found = this.pushes.findLast((push) => push.sealed !== null && (id === undefined || push.record.id === id));
    if (!found?.sealed)
      throw new Error(id === undefined ? 'Nothing was pushed yet' : `No push ${id} was sent or is still logged`);
    return { record: found.record, sealed: found.sealed };
  }
}
