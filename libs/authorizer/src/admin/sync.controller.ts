import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { RequireRole } from '@app/access';
import { Audited } from '../audit/audited.decorator.js';
import { AuthorizerService } from '../authorizer.service.js';
import { authorizerAnswer, syncStartedAnswer } from './answers.js';
import { AuthorizerSync } from '../reconcile/authorizer-sync.js';
import { Reconciler } from '../reconcile/reconciler.js';

/** Compares what is known of authorizers with what WeChat says. */
@Controller('admin/wechat/authorizers')
@RequireRole('operator')
export class SyncController {
  constructor(
    private readonly authorizers: AuthorizerService,
    private readonly sync: AuthorizerSync,
    private readonly reconciler: Reconciler,
  ) {}

  @Post('sync')
  @ApiOperation({
    summary: "Compare all authorizers with WeChat's list",
    description: 'The progress is in lastReconcile of the platform. A run that is paused goes on.',
  })
  @ApiAcceptedResponse({ standardSchema: syncStartedAnswer, description: 'The run' })
  @Audited('authorizer.sync_all', { made: 'runId' })
  @HttpCode(202)
  async syncAll(): Promise<{ runId: string }> {
    return { runId: await this.reconciler.request() };
  }

  @Post(':appId/sync')
  @ApiOperation({ summary: 'Read one authorizer again from WeChat' })
  @ApiOkResponse({ standardSchema: authorizerAnswer, description: 'The authorizer as WeChat knows it now' })
  @ApiResponse({ status: 409, description: 'The merchant has to act' })
  @ApiResponse({ status: 502, description: 'WeChat refused; the code is its errcode' })
  @ApiResponse({ status: 503, description: 'WeChat cannot be reached' })
  @Audited('authorizer.sync', { param: 'appId' })
  @HttpCode(200)
  async syncOne(@Param('appId') appId: string) {
    await this.sync.readNow(appId);
    return this.authorizers.find(appId);
  }
}
