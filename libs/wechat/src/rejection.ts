/**
 * Every reason a push is turned away: the status and sentence the caller is answered, the WXBizMsgCrypt number where one
 * fits, and what an operator who finds it among the rejections should look at.
 *
 * @see https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Message_encryption_and_decryption.html
 */
export const REJECTIONS = {
  MISSING_PARAMETER: {
    status: 400,
    title: 'A query parameter is missing',
    check: 'A proxy in front of us may drop the query string; WeChat always sends all five parameters.',
  },
  UNSUPPORTED_ENCRYPT_TYPE: {
    status: 400,
    title: 'Only encrypt_type aes is accepted',
    check:
      'A third-party platform is pushed to in safe mode only; another product or a test tool may be calling this URL.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is larger than 64 KiB',
    check: 'WeChat pushes are a few KiB; something else is calling this URL.',
  },
  DOCTYPE_REFUSED: {
    status: 400,
    wxCode: -40002,
    title: 'Document types and entity declarations are refused',
    check: 'WeChat never sends a DOCTYPE; somebody is probing this URL for XML attacks.',
  },
  MALFORMED_ENVELOPE: {
    status: 400,
    wxCode: -40002,
    title: 'The body is not a WeChat message envelope',
    check: 'A proxy may be rewriting the body, or something other than WeChat is calling this URL.',
  },
  MISSING_APP_ID: {
    status: 400,
    wxCode: -40002,
    title: 'The envelope has no AppId',
    check:
      'Messages to an authorizer carry ToUserName instead: the message URL in the console may point here by mistake.',
  },
  MISSING_ENCRYPT: {
    status: 400,
    wxCode: -40002,
    title: 'The envelope has no Encrypt',
    check: 'Only encrypted pushes are accepted; a test tool may be sending clear text.',
  },
  TIMESTAMP_MALFORMED: {
    status: 401,
    title: 'The timestamp is not ten digits',
    check: 'WeChat sends unix seconds; a proxy or a test tool may have changed the query string.',
  },
  TIMESTAMP_OUT_OF_RANGE: {
    status: 401,
    title: 'The timestamp is too far from our clock',
    check: 'Compare the clock of this machine with a time server; if it is right, an old push is being replayed.',
  },
  SIGNATURE_MISMATCH: {
    status: 401,
    wxCode: -40001,
    title: 'The signature does not match',
    check:
      'WECHAT_TOKEN must be the 消息校验Token that is in force; after a change in the console it takes effect with the whole-network release, until then set the former one as WECHAT_PREVIOUS_TOKEN.',
  },
  BAD_BASE64: {
    status: 400,
    wxCode: -40010,
    title: 'The ciphertext is not base64',
    check: 'The signature is right, so the sender knows the token but seals wrongly; look at the tool that sent it.',
  },
  BAD_BLOCK_LENGTH: {
    status: 400,
    wxCode: -40007,
    title: 'The ciphertext is not made of whole blocks',
    check: 'The signature is right, so the sender knows the token but seals wrongly; look at the tool that sent it.',
  },
  BAD_PADDING: {
    status: 400,
    wxCode: -40008,
    title: 'The decrypted padding is wrong',
    check:
      'The token is right and the key is not: WECHAT_ENCODING_AES_KEY must be the 消息加解密Key that is in force, the former one belongs in WECHAT_PREVIOUS_ENCODING_AES_KEY.',
  },
  BAD_FRAME: {
    status: 400,
    wxCode: -40008,
    title: 'The decrypted frame is inconsistent',
    check: 'The token is right; compare WECHAT_ENCODING_AES_KEY with the 消息加解密Key in the console.',
  },
  APP_ID_MISMATCH: {
    status: 400,
    wxCode: -40005,
    title: 'The push is meant for another receiver',
    check: 'WECHAT_COMPONENT_APP_ID must be the appid of the platform whose token and key are configured here.',
  },
  NOT_UTF8: {
    status: 400,
    wxCode: -40008,
    title: 'The decrypted message is not UTF-8',
    check: 'WeChat sends UTF-8; look at the tool that sent it.',
  },
  MALFORMED_EVENT: {
    status: 400,
    wxCode: -40002,
    title: 'The decrypted message is not an event',
    check: 'Events are XML with an InfoType; messages with MsgType belong to the message URL, which is another one.',
  },
} as const satisfies Record<string, Rejection>;

interface Rejection {
  readonly status: number;
  readonly wxCode?: number;
  readonly title: string;
  readonly check: string;
}

export type RejectionReason = keyof typeof REJECTIONS;

/**
 * A push that is turned away. What it says comes from the catalogue alone: neither input nor secret is in it, except that
 * `cause` may hold the parser's complaint and must stay inside.
 */
export class PushRejected extends Error {
  override readonly name = 'PushRejected';
  readonly status: number;
  /** The WXBizMsgCrypt number where one fits, else the reason's name. */
  readonly code: number | string;
  readonly title: string;
  readonly detail?: string;

  constructor(
    readonly reason: RejectionReason,
    options: { detail?: string; cause?: unknown } = {},
  ) {
    const rejection: Rejection = REJECTIONS[reason];
    super(rejection.title, { cause: options.cause });
    this.status = rejection.status;
    this.code = rejection.wxCode ?? reason;
    this.title = rejection.title;
    this.detail = options.detail;
  }
}
