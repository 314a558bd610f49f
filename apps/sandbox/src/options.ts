/** What a platform enters in WeChat's console; one set for both sides of a conversation. */
export interface ComponentCredentials {
  componentAppId: string;
  componentAppSecret: string;
  /** 消息校验Token */
  token: string;
  /** 消息加解密Key, 43 characters */
  encodingAesKey: string;
}

/** The credentials of the platform the sandbox plays. Public: they open nothing but a sandbox. */
export const SANDBOX_CREDENTIALS: Readonly<ComponentCredentials> = {
  componentAppId: 'wx5a0d60c8f1e2b347',
  componentAppSecret: '5a9db0c4e1f27386b0d4c8f1a2e3756c',
  token: 'sandboxtoken',
  encodingAesKey: 'c2FuZGJveHNhbmRib3hzYW5kYm94c2FuZGJveDEyMzQ',
};

export interface SandboxOptions extends Partial<ComponentCredentials> {
  /** Default 127.0.0.1: nobody else on the network needs a pretended WeChat. */
  host?: string;
  /** 0 (the default) takes any free port. */
  port?: number;
  /** Where pushes go: the platform's 授权事件接收URL. Null (the default) keeps them in the log only. */
  pushUrl?: string | null;
  /** Seconds between tickets, default 600; 0 never sends one unasked. */
  ticketEverySeconds?: number;
  /** How long the receiver of a push may take, default 5000 as WeChat allows. */
  pushTimeoutMs?: number;
  /** False starts with no accounts; default true. */
  seedAccounts?: boolean;
  /** Milliseconds since 1970; tests let tickets and tokens expire by moving it. */
  now?: () => number;
}
