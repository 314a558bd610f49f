import helmet from '@fastify/helmet';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';

/** What an answer of data is: nothing to run, nothing to show inside other pages, nothing to keep. */
const NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** The documentation's page brings its scripts itself, and writes its styles as it goes. */
const DOCS = [
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:",
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
].join('; ');

/** For answers that are given before any of our hooks runs. */
export const FIXED_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': NOTHING,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const A_YEAR_SECONDS = 31_536_000;
const PREFLIGHT_SECONDS = 600;

/**
 * Tells browsers to be strict with every answer; routes that show pages replace what they need to. Scripts of other origins may read
 * answers only where the origin is named.
 */
export async function protectBrowsers(app: NestFastifyApplication, allowedOrigins: readonly string[]): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: false,
    crossOriginResourcePolicy: { policy: allowedOrigins.length > 0 ? 'cross-origin' : 'same-origin' },
    strictTransportSecurity: { maxAge: A_YEAR_SECONDS, includeSubDomains: false },
  });
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      const isPage = /^\/docs(\/|$)/.test(request.routeOptions.url ?? '');
      void reply.headers({ ...FIXED_HEADERS, ...(isPage && { 'content-security-policy': DOCS }) });
      done();
    });
  if (allowedOrigins.length === 0) return;
  app.enableCors({
    origin: allowedOrigins.map((origin) => new URL(origin).origin),
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: ['authorization', 'content-type'],
    exposedHeaders: ['content-disposition', 'retry-after', 'www-authenticate'],
    maxAge: PREFLIGHT_SECONDS,
  });
}
