import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const RANDOM_BYTES = 16;
const LENGTH_BYTES = 4;
const PAD_BLOCK = 32;

/** Signature parameters WeChat puts into the URL, with the envelope they belong to. */
export interface SealedMessage {
  query: Record<'signature' | 'timestamp' | 'nonce' | 'encrypt_type' | 'msg_signature', string>;
  body: string;
}

export interface Stamp {
  timestamp: string;
  nonce: string;
}

/** WeChat's message sealing, from the sender's side: AES-256-CBC, PKCS#7 to 32 bytes, SHA-1 over sorted parts. */
export class MessageCrypt {
  private readonly key: Buffer;

  constructor(
    private readonly token: string,
    encodingAesKey: string,
    private readonly appId: string,
  ) {
    this.key = Buffer.from(`${encodingAesKey}=`, 'base64');
    if (this.key.length !== 32) throw new Error('An EncodingAESKey has 43 characters');
  }

  /** `random` is given by tests only: known answers need it. */
  encrypt(message: string, random: Buffer = randomBytes(RANDOM_BYTES)): string {
    const content = Buffer.from(message, 'utf8');
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(content.length);
    const frame = Buffer.concat([random, length, content, Buffer.from(this.appId, 'utf8')]);
    const padding = PAD_BLOCK - (frame.length % PAD_BLOCK);
    const cipher = createCipheriv('aes-256-cbc', this.key, this.key.subarray(0, 16)).setAutoPadding(false);
    return Buffer.concat([
      cipher.update(frame),
      cipher.update(Buffer.alloc(padding, padding)),
      cipher.final(),
    ]).toString('base64');
  }

  /** The other direction, for receivers in tests. */
  decrypt(ciphertext: string): { message: string; appId: string; random: Buffer } {
    const decipher = createDecipheriv('aes-256-cbc', this.key, this.key.subarray(0, 16)).setAutoPadding(false);
    const padded = Buffer.concat([decipher.update(Buffer.from(ciphertext, 'base64')), decipher.final()]);
    const frame = padded.subarray(0, padded.length - (padded.at(-1) ?? 0));
    const start = RANDOM_BYTES + LENGTH_BYTES;
    const end = start + frame.readUInt32BE(RANDOM_BYTES);
    return {
      message: frame.toString('utf8', start, end),
      appId: frame.toString('utf8', end),
      random: frame.subarray(0, RANDOM_BYTES),
    };
  }

  /** With the ciphertext it is `msg_signature`; without, the `signature` that proves nothing. */
  sign(stamp: Stamp, ...ciphertext: string[]): string {
    const parts = [this.token, stamp.timestamp, stamp.nonce, ...ciphertext].sort();
    return createHash('sha1').update(parts.join('')).digest('hex');
  }

  seal(message: string, stamp: Stamp): SealedMessage {
    const ciphertext = this.encrypt(message);
    return {
      query: {
        signature: this.sign(stamp),
        ...stamp,
        encrypt_type: 'aes',
        msg_signature: this.sign(stamp, ciphertext),
      },
      body: `<xml>\n    <AppId><![CDATA[${this.appId}]]></AppId>\n    <Encrypt><![CDATA[${ciphertext}]]></Encrypt>\n</xml>\n`,
    };
  }
}
