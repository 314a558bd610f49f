import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { RequireRole } from '@app/access';
import { z } from 'zod';
import { AuditLog, type AuditRecord, CALLER_GONE } from '../audit/audit-log.js';
import { auditAnswer, pageOfAnswers } from './answers.js';
import { BIGINT, cursor, instant, limit, MILLISECONDS, PagedList } from './cursor.js';

const listQuery = z.strictObject({
  actor: z.string().min(1).max(200).optional().describe('The name of the API key or account that acted'),
  action: z.string().min(1).max(100).optional().describe('Such as authorizer.sync'),
  target: z.string().min(1).max(200).optional().describe('What was acted on, or made'),
  from: instant.optional().describe('At or after this time, ISO 8601'),
  to: instant.optional().describe('Before this time, ISO 8601'),
  limit,
  cursor: cursor.optional(),
});
const entries = new PagedList('audit', MILLISECONDS, BIGINT);

/** What operators did. */
@Controller('admin/wechat/audit')
@RequireRole('viewer')
export class AuditController {
  constructor(private readonly log: AuditLog) {}

  @Get()
  @ApiOperation({ summary: 'Every action, newest first: who, what, when, from where, and what came of it' })
  @ApiOkResponse({ standardSchema: pageOfAnswers(auditAnswer), description: 'One page' })
  async list(@Query({ schema: listQuery }) { cursor, limit, ...filter }: z.infer<typeof listQuery>) {
    const pages = entries.of(filter, cursor);
    const after = pages.after && { at: new Date(Number(pages.after[0])), id: pages.after[1]! };
    const rows = await this.log.list({ ...filter, after, limit: limit + 1 });
    return pages.answer(rows, limit, shown, ({ at, id }) => [String(at.getTime()), id]);
  }
}

function shown({
  id,
  at,
  actorName,
  actorKind,
  actorRole,
  action,
  target,
  address,
  status,
  code,
  rows,
  finishedAt,
}: AuditRecord) {
  const actor = { name: actorName, kind: actorKind, role: actorRole };
  return { id, at, actor, action, target, address, outcome: verdict(status, code), status, code, rows, finishedAt };
}

/** `unfinished` is under way, or the process died over it. What began well may still break off: then there is a code. */
function verdict(status: number | null, code: string | null): z.infer<typeof auditAnswer>['outcome'] {
  if (status === null) return 'unfinished';
  if (code === CALLER_GONE) return 'aborted';
  return code === null && status < 400 ? 'succeeded' : 'failed';
}
