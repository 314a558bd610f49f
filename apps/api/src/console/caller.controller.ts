import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { type AccessCaller, Caller, RequireRole, ROLES } from '@app/access';
import { z } from 'zod';

const callerAnswer = z
  .object({ name: z.string(), kind: z.enum(['api-key', 'oidc']), role: z.enum(ROLES) })
  .meta({ id: 'Caller', example: { name: 'alice', kind: 'api-key', role: 'operator' } });

/** Whom a key belongs to: the console asks before it offers what the role does not allow. */
@Controller('admin/wechat/caller')
@RequireRole('viewer')
export class CallerController {
  @Get()
  @ApiOperation({ summary: 'Whose key this is, and the role it has' })
  @ApiOkResponse({ standardSchema: callerAnswer, description: 'The caller' })
  caller(@Caller() { name, kind, role }: AccessCaller): z.infer<typeof callerAnswer> {
    return { name, kind, role };
  }
}
