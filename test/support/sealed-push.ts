import { randomBytes } from 'node:crypto';
import { MessageCrypt } from '../../apps/sandbox/src/push/message-crypt.js';
import { SANDBOX_CREDENTIALS } from '../../apps/sandbox/src/options.js';

/** A push in its parts, so that a test can spoil one of them. Sealed by the sandbox, which shares no code with the server. */
export interface SealedPush {
  query: Record<string, string>;
  body: string;
}

export interface Sealing {
  readonly timestamp?: number;
  readonly token?: string;
  readonly encodingAesKey?: string;
  /** The receiver at the end of the frame. */
  readonly appId?: string;
}

/** Seals any text as WeChat would. */
export function seal(xml: string, sealing: Sealing = {}): SealedPush {
  const { token, encodingAesKey, componentAppId } = SANDBOX_CREDENTIALS;
  const crypt = new MessageCrypt(
    sealing.token ?? token,
    sealing.encodingAesKey ?? encodingAesKey,
    sealing.appId ?? componentAppId,
  );
  return signed(crypt.encrypt(xml), crypt, sealing.timestamp);
}

/** Signs any text in the place of the ciphertext. */
export function signed(
  ciphertext: string,
  crypt = sandboxCrypt(),
  seconds = Math.floor(Date.now() / 1000),
): SealedPush {
  const stamp = { timestamp: String(seconds), nonce: randomBytes(5).toString('hex') };
  return {
    query: {
      signature: crypt.sign(stamp),
      ...stamp,
      encrypt_type: 'aes',
      msg_signature: crypt.sign(stamp, ciphertext),
    },
    body: `<xml>\n    <AppId><![CDATA[${SANDBOX_CREDENTIALS.componentAppId}]]></AppId>\n    <Encrypt><![CDATA[${ciphertext}]]></Encrypt>\n</xml>`,
  };
}

export function sandboxCrypt(): MessageCrypt {
  const { token, encodingAesKey, componentAppId } = SANDBOX_CREDENTIALS;
  return new MessageCrypt(token, encodingAesKey, componentAppId);
}

/** An event with these elements, in plain text. */
export function eventXml(infoType: string, elements: Record<string, string | number> = {}): string {
  const rest = Object.entries({ CreateTime: Math.floor(Date.now() / 1000), ...elements }).map(
    ([name, value]) => `<${name}>${value}</${name}>`,
  );
  return `<xml><AppId>${SANDBOX_CREDENTIALS.componentAppId}</AppId><InfoType>${infoType}</InfoType>${rest.join('')}</xml>`;
}
