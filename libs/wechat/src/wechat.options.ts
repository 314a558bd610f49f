export const WECHAT_OPTIONS = Symbol('wechat-options');

/** The platform this deployment speaks for, and how its pushes are checked. */
export interface WechatOptions {
  readonly appId: string;
  readonly appSecret: string;
  /** The token in use first, then the one before a rotation. */
  readonly tokens: readonly string[];
  /** The EncodingAESKey in use first, then the one before a rotation. */
  readonly encodingAesKeys: readonly string[];
  /** Where api.weixin.qq.com is. */
  readonly apiBaseUrl: string;
  /** Seconds a push's timestamp may lie from our clock; 0 switches the check off. */
  readonly pushMaxAge: number;
}
