import { type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import { RejectionLog } from '@app/wechat';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Logger } from 'pino';
import { AppModule } from './app.module.js';
import { BUILT_CONSOLE } from './console/console-files.js';
import { type Env } from './env.js';
import { PinoLogger } from './logger.js';
import { apiDocument } from './openapi/api-document.js';
import { problemOf } from './problem.filter.js';
import { FIXED_HEADERS, protectBrowsers } from './browser-protection.js';
import { answerUnreadable } from './unreadable-request.js';

const BODY_LIMIT_BYTES = 64 * 1024;
export const RECEIVE_EVENT = '/social/with/wechat/receiveEvent';

/** The application exactly as it runs, not yet listening. Tests call it too, and bring neighbours of their own. */
export async function createApp(
  env: Env,
  logger: Logger,
  neighbours: readonly DynamicModule[] = [],
  consoleFolder = BUILT_CONSOLE,
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: env.trustedProxies.length > 0 ? [...env.trustedProxies] : false,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
      const problem = problemOf(error);
      void reply
        .code(problem.status)
        .headers(FIXED_HEADERS)
        .type('application/problem+json')
        .send(JSON.stringify(problem));
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(env, neighbours, consoleFolder),
    adapter,
    {
      bodyParser: false,
      logger: new PinoLogger(logger),
      abortOnError: false,
    },
  );
  const fastify = adapter.getInstance();
  readBodies(fastify);
  closeConnectionsAsTheyFallIdle(fastify);
  noteLargePushes(fastify, app.get(RejectionLog));
  await protectBrowsers(app, env.allowedOrigins);
  documentRoutes(app);
  return app;
}

/**
 * A body without bytes is none, whatever it is called: many clients always say JSON. WeChat documents no content type for pushes, so
 * whatever is sent to that route is text.
 */
function readBodies(fastify: FastifyInstance): void {
  const readJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, undefined) : readJson(request, body.toString(), done),
  );
  fastify.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body || undefined));
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.url === RECEIVE_EVENT) request.headers['content-type'] = 'text/xml';
    done();
  });
}

/** One that is answering while we close would be kept alive afterwards, and closing would wait for over a minute. */
function closeConnectionsAsTheyFallIdle(fastify: FastifyInstance): void {
  fastify.addHook('preClose', (done) => {
    const sweep = setInterval(() => fastify.server.closeIdleConnections(), 100).unref();
    fastify.server.once('close', () => clearInterval(sweep));
    done();
  });
}

/** A body over the limit is refused before any controller sees it. */
function noteLargePushes(fastify: FastifyInstance, rejections: RejectionLog): void {
  fastify.addHook('onError', (request, _reply, error, done) => {
    const isPush = request.routeOptions.url === RECEIVE_EVENT;
    if (isPush && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
      rejections.record('BODY_TOO_LARGE', request.ip, '', undefined);
    done();
  });
}

function documentRoutes(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => apiDocument(app), {
    jsonDocumentUrl: 'docs-json',
    customSiteTitle: 'WeChat authorization service: API',
    customCss: '.swagger-ui .topbar { display: none }',
    swaggerOptions: { defaultModelsExpandDepth: 0 },
  });
}
