import { Body, Controller, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { type AccessCaller, Caller, RequireRole } from '@app/access';
import { PlatformCredentialService } from '@app/wechat';
import { z } from 'zod';
import { accessTokenAnswer } from '../admin/answers.js';
import { AuthorizerError } from '../authorizer.errors.js';
import { AuthorizerTokenService } from '../authorizer-token.service.js';
import { remedyOf } from '../tokens/refresh-failure.js';
import { HandOuts } from './hand-outs.js';

const report = z
  .strictObject({ invalidToken: z.string().min(1).max(2048).optional() })
  .optional()
  .describe(
    'A token that WeChat called invalid: it, and no newer one, is dropped first, unless five were within the last minutes: then the answer may be the same token',
  );

type Report = z.infer<typeof report>;

/** Tokens for services outside the process. */
@Controller('internal/wechat')
@RequireRole('service')
export class AccessTokensController {
  constructor(
    private readonly tokens: AuthorizerTokenService,
    private readonly platform: PlatformCredentialService,
    private readonly handOuts: HandOuts,
  ) {}

  @Post('authorizers/:appId/access-token')
  @ApiOperation({ summary: 'An authorizer_access_token, good for five more minutes at least while WeChat is there' })
  @ApiOkResponse({ standardSchema: accessTokenAnswer, description: 'The token' })
  @ApiResponse({ status: 409, description: 'A merchant must authorize again' })
  @ApiResponse({ status: 503, description: 'WeChat is away and no good token is left; see Retry-After' })
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async authorizerToken(
    @Caller() caller: AccessCaller,
    @Param('appId') appId: string,
    @Body({ schema: report }) body: Report,
  ) {
    if (body?.invalidToken !== undefined) await this.tokens.reportInvalid(appId, body.invalidToken);
    const { accessToken, expiresAt } = await this.tokens.getAccessToken(appId);
    this.handOuts.count(caller, 'authorizer');
    return { accessToken, expiresAt };
  }

  @Post('component-access-token')
  @ApiOperation({ summary: 'The component_access_token' })
  @ApiOkResponse({ standardSchema: accessTokenAnswer, description: 'The token' })
  @ApiResponse({ status: 503, description: 'WeChat is away and no good token is left; see Retry-After' })
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async componentToken(@Caller() caller: AccessCaller, @Body({ schema: report }) body: Report) {
    if (body?.invalidToken !== undefined) await this.platform.reportInvalid(body.invalidToken);
    const { token, expiresAt } = await this.platform.accessToken().catch(unavailable);
    this.handOuts.count(caller, 'component');
    return { accessToken: token, expiresAt };
  }
}

/** However WeChat failed, the caller can only come again. */
function unavailable(error: unknown): never {
  const remedy = remedyOf(error);
  const retryAfterSeconds = 'retryAfterSeconds' in remedy ? remedy.retryAfterSeconds : 60;
  const { advice, title } = error as { advice?: string; title?: string };
  throw new AuthorizerError('WECHAT_UNAVAILABLE', { detail: advice ?? title, cause: error, retryAfterSeconds });
}
