import { type ApiKey, parseApiKeys } from '@app/access';
import { type EncryptionKey, parseEncryptionKeys } from '@app/keyring';
import { z } from 'zod';

/** The sandbox's platform: what development uses where nothing else is configured. None of it is a secret. */
const SANDBOX_PLATFORM = {
  WECHAT_COMPONENT_APP_ID: 'wx5a0d60c8f1e2b347',
  WECHAT_COMPONENT_APP_SECRET: '5a9db0c4e1f27386b0d4c8f1a2e3756c',
  WECHAT_TOKEN: 'sandboxtoken',
  WECHAT_ENCODING_AES_KEY: 'c2FuZGJveHNhbmRib3hzYW5kYm94c2FuZGJveDEyMzQ',
} as const;

const wholeNumber = (lowest: number, highest: number, unit = '') => {
  const rule = `must be a whole number${unit} from ${lowest} to ${highest}`;
  return z
    .string()
    .trim()
    .regex(/^\d{1,15}$/, rule)
    .transform(Number)
    .pipe(z.number().min(lowest, rule).max(highest, rule));
};
const port = wholeNumber(0, 65_535);
/** Base64 without its `=`: the open platform makes letters and digits only, and `+` and `/` decode as well. */
const aesKey = z.string().regex(/^[A-Za-z0-9+/]{43}$/, 'must be 43 letters and digits, as the open platform shows it');
const url = (protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });
const baseUrl = url(['http:', 'https:']).transform((text) => text.replace(/\/+$/, ''));
const origin = baseUrl
  .refine((text) => !URL.canParse(text) || new URL(text).href === `${new URL(text).origin}/`, {
    error: 'must be an origin such as https://wechat.example.com, without path, query or password',
  })
  .transform((text) => (URL.canParse(text) ? new URL(text).origin : text));
const origins = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .pipe(z.array(origin));

const LONE_PERCENT = 'has a % that stands for itself; write it as %25';

/** One that can be used: it names a place, and what stands in it can be read. */
const databaseUrl = url(['postgres:', 'postgresql:'])
  .refine(namesHost, 'must name a host, as in postgres://user:password@host:5432/name')
  .refine(isDecodable, LONE_PERCENT);

/** Addresses and networks, as Fastify's `trustProxy` takes them. */
const addresses = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .pipe(
    z.array(
      z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'must be IP addresses or networks such as 10.0.0.0/8'),
    ),
  );

/** A text that a function reads; what it throws is the problem shown. */
const readBy = <T>(read: (text: string) => T) =>
  z.string().transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });

/** As files and consoles hand it over: with a line break behind it, under which no signature would ever be right. */
const secret = z.string().trim();

const variables = z.object({
  NODE_ENV: z
    .enum(['production', 'development', 'test'], 'must be production, development or test')
    .default('development'),
  PORT: port.default(3000),
  HOST: z.union([z.ipv4(), z.ipv6(), z.hostname()], 'must be an IP address or a host name').optional(),
  DATABASE_URL: databaseUrl.optional(),
  WECHAT_COMPONENT_APP_ID: z
    .string()
    .regex(/^wx[\w-]{1,62}$/, 'must be an appid, which starts with wx')
    .optional(),
  WECHAT_COMPONENT_APP_SECRET: secret.optional(),
  WECHAT_TOKEN: secret.optional(),
  WECHAT_ENCODING_AES_KEY: aesKey.optional(),
  WECHAT_PREVIOUS_TOKEN: secret.optional(),
  WECHAT_PREVIOUS_ENCODING_AES_KEY: aesKey.optional(),
  WECHAT_API_BASE_URL: baseUrl.optional(),
  WECHAT_PUSH_MAX_AGE: wholeNumber(0, 10 ** 9, ' of seconds').default(86_400),
  ADMIN_API_KEYS: readBy(parseApiKeys).optional(),
  ADMIN_ALLOWED_ORIGINS: origins.optional(),
  ADMIN_OIDC_ISSUER: url(['http:', 'https:']).optional(),
  ADMIN_OIDC_AUDIENCE: z.string().optional(),
  ADMIN_OIDC_ROLE_CLAIM: z.string().optional(),
  ENCRYPTION_KEYS: readBy(parseEncryptionKeys).optional(),
  PUBLIC_BASE_URL: origin.optional(),
  TRUSTED_PROXIES: addresses.optional(),
  RECONCILE_INTERVAL_HOURS: wholeNumber(0, 8_760).default(24),
  RECONCILE_CALLS_PER_MINUTE: wholeNumber(1, 60_000).default(300),
  EVENT_BROKER_URL: url(['nats:', 'amqp:', 'amqps:']).refine(isDecodable, LONE_PERCENT).optional(),
  SANDBOX_PORT: port.default(3001),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], 'must be a pino level such as info')
    .optional(),
});

/** Every variable that is read. */
export const VARIABLE_NAMES: readonly string[] = Object.keys(variables.shape);

/** What production must be told, because nothing is made up there. */
export const REQUIRED_IN_PRODUCTION = [
  'DATABASE_URL',
  'WECHAT_COMPONENT_APP_ID',
  'WECHAT_COMPONENT_APP_SECRET',
  'WECHAT_TOKEN',
  'WECHAT_ENCODING_AES_KEY',
  'ENCRYPTION_KEYS',
] as const;

/** The environment as the program uses it: every rule kept, every default filled in. */
export interface Env {
  readonly production: boolean;
  readonly port: number;
  readonly host: string;
  readonly databaseUrl: string;
  readonly platform: {
    readonly appId: string;
    readonly appSecret: string;
    /** The token in use, then the one before a rotation. */
    readonly tokens: readonly string[];
    /** The EncodingAESKey in use, then the one before a rotation. */
    readonly encodingAesKeys: readonly string[];
    readonly apiBaseUrl: string;
    /** Seconds; 0 switches the check off. */
    readonly pushMaxAge: number;
  };
  readonly apiKeys: readonly ApiKey[];
  readonly allowedOrigins: readonly string[];
  /** Whose word on a caller's address is taken. */
  readonly trustedProxies: readonly string[];
  readonly oidc: { readonly issuer: string; readonly audience: string; readonly roleClaim: string | undefined } | null;
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly publicBaseUrl: string;
  /** The origin of the sandbox, where it plays WeChat's authorization pages; null for WeChat itself. */
  readonly pagesStandIn: string | null;
  /** How often authorizers are compared with WeChat's list (hours; 0 never), and with how many calls a minute at most. */
  readonly reconcile: { readonly intervalHours: number; readonly callsPerMinute: number };
  readonly eventBrokerUrl: string | null;
  readonly logLevel: string;
}

/** What only development makes up when it is not configured: a database, the sandbox and keys. */
export type DevelopmentGaps = Partial<Pick<Env, 'databaseUrl' | 'apiKeys' | 'encryptionKeys'>> & {
  apiBaseUrl?: string;
};

/** Everything that is wrong with the environment, one line each. */
export class EnvError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'EnvError';
  }
}

/** The variables as they were set, each of them right. */
export type Variables = z.infer<typeof variables>;

/**
 * Checks the environment; an empty variable counts as absent.
 *
 * @throws EnvError naming every variable that is wrong, never its value
 */
export function readVariables(source: Readonly<Record<string, string | undefined>>): Variables {
  const present = Object.fromEntries(
    Object.entries(source).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const { data, error } = variables.safeParse(present);
  const problems = error ? error.issues.map(({ path, message }) => `${String(path[0])}: ${message}`) : [];
  if (present.NODE_ENV === 'production') {
    for (const name of REQUIRED_IN_PRODUCTION)
      if (!(name in present)) problems.push(`${name}: is required in production`);
  }
  if ('ADMIN_OIDC_ISSUER' in present !== 'ADMIN_OIDC_AUDIENCE' in present) {
    problems.push('ADMIN_OIDC_ISSUER: goes together with ADMIN_OIDC_AUDIENCE; set both or neither');
  }
  if (data && isSandboxInTheWay(data)) {
    problems.push('SANDBOX_PORT: is the same as PORT; set one of them to another port');
  }
  if (!data || problems.length > 0) throw new EnvError(problems);
  return data;
}

/** Completes checked variables with what development made up. In production there are no gaps left to fill. */
export function completeEnv(checked: Variables, gaps: DevelopmentGaps): Env {
  const production = checked.NODE_ENV === 'production';
  const host = checked.HOST ?? (production ? '0.0.0.0' : '127.0.0.1');
  const platform = { ...SANDBOX_PLATFORM, ...definedOnly(checked) };
  const present = (value: string | undefined): value is string => value !== undefined;
  return {
    production,
    port: checked.PORT,
    host,
    databaseUrl: required('DATABASE_URL', checked.DATABASE_URL ?? gaps.databaseUrl),
    platform: {
      appId: platform.WECHAT_COMPONENT_APP_ID,
      appSecret: platform.WECHAT_COMPONENT_APP_SECRET,
      tokens: [platform.WECHAT_TOKEN, checked.WECHAT_PREVIOUS_TOKEN].filter(present),
      encodingAesKeys: [platform.WECHAT_ENCODING_AES_KEY, checked.WECHAT_PREVIOUS_ENCODING_AES_KEY].filter(present),
      apiBaseUrl: checked.WECHAT_API_BASE_URL ?? gaps.apiBaseUrl ?? 'https://api.weixin.qq.com',
      pushMaxAge: checked.WECHAT_PUSH_MAX_AGE,
    },
    apiKeys: checked.ADMIN_API_KEYS ?? gaps.apiKeys ?? [],
    allowedOrigins: checked.ADMIN_ALLOWED_ORIGINS ?? [],
    trustedProxies: checked.TRUSTED_PROXIES ?? [],
    oidc:
      checked.ADMIN_OIDC_ISSUER && checked.ADMIN_OIDC_AUDIENCE
        ? {
            issuer: checked.ADMIN_OIDC_ISSUER,
            audience: checked.ADMIN_OIDC_AUDIENCE,
            roleClaim: checked.ADMIN_OIDC_ROLE_CLAIM,
          }
        : null,
    encryptionKeys: required('ENCRYPTION_KEYS', checked.ENCRYPTION_KEYS ?? gaps.encryptionKeys),
    publicBaseUrl: checked.PUBLIC_BASE_URL ?? originOf(host, checked.PORT),
    pagesStandIn: checked.WECHAT_API_BASE_URL ? null : (gaps.apiBaseUrl ?? null),
    reconcile: {
      intervalHours: checked.RECONCILE_INTERVAL_HOURS,
      callsPerMinute: checked.RECONCILE_CALLS_PER_MINUTE,
    },
    eventBrokerUrl: checked.EVENT_BROKER_URL ?? null,
    logLevel: checked.LOG_LEVEL ?? (production ? 'info' : 'warn'),
  };
}

/** The address that a browser understands. */
export function originOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Where a process on this machine finds what listens there. */
export function localOriginOf(host: string, port: number): string {
  return originOf(host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host, port);
}

/** The sandbox runs beside us in development, unless WeChat itself or another stand-in is named. */
function isSandboxInTheWay({ NODE_ENV, WECHAT_API_BASE_URL, PORT, SANDBOX_PORT }: Variables): boolean {
  return NODE_ENV !== 'production' && !WECHAT_API_BASE_URL && PORT !== 0 && PORT === SANDBOX_PORT;
}

function namesHost(text: string): boolean {
  if (!URL.canParse(text)) return true; // Told already.
  const { hostname, searchParams } = new URL(text);
  return hostname !== '' || searchParams.has('host');
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== '';
  } catch {
    return false;
  }
}

function definedOnly(checked: Variables): Partial<Record<keyof typeof SANDBOX_PLATFORM, string>> {
  return Object.fromEntries(
    Object.entries(checked).filter(([name, value]) => name in SANDBOX_PLATFORM && value !== undefined),
  );
}

function required<T>(name: string, value: T | undefined): T {
  if (value === undefined) throw new EnvError([`${name}: is required`]);
  return value;
}
