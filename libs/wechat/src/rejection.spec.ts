import { PushRejected, REJECTIONS, type RejectionReason } from './rejection.js';

const reasons = Object.keys(REJECTIONS) as RejectionReason[];

describe('PushRejected', () => {
  it.each(reasons)('%s answers with what the catalogue says and nothing else', (reason) => {
    const cause = new Error('holds input');
    const rejected = new PushRejected(reason, { cause });

    expect(rejected).toBeInstanceOf(Error);
    expect(rejected).toMatchObject({ reason, status: REJECTIONS[reason].status, title: REJECTIONS[reason].title });
    expect(rejected.message).toBe(REJECTIONS[reason].title);
    expect(rejected.cause).toBe(cause);
    expect(rejected.detail).toBeUndefined();
  });

  it('carries the WXBizMsgCrypt number as code where one fits, else the name of the reason', () => {
    expect(new PushRejected('SIGNATURE_MISMATCH').code).toBe(-40001);
    expect(new PushRejected('MALFORMED_ENVELOPE').code).toBe(-40002);
    expect(new PushRejected('APP_ID_MISMATCH').code).toBe(-40005);
    expect(new PushRejected('BAD_BLOCK_LENGTH').code).toBe(-40007);
    expect(new PushRejected('BAD_PADDING').code).toBe(-40008);
    expect(new PushRejected('BAD_BASE64').code).toBe(-40010);
    expect(new PushRejected('TIMESTAMP_OUT_OF_RANGE').code).toBe('TIMESTAMP_OUT_OF_RANGE');
  });

  it('answers 401 when the sender has not proved who it is, 413 for too much and 400 for the rest', () => {
    const withStatus = (status: number) => reasons.filter((reason) => REJECTIONS[reason].status === status);

    expect(withStatus(401)).toEqual(['TIMESTAMP_MALFORMED', 'TIMESTAMP_OUT_OF_RANGE', 'SIGNATURE_MISMATCH']);
    expect(withStatus(413)).toEqual(['BODY_TOO_LARGE']);
    expect(withStatus(400)).toHaveLength(reasons.length - 4);
  });
});
