import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { RequireRole } from '@app/access';
import { z } from 'zod';
import { Audited } from '../audit/audited.decorator.js';
import { AuthorizerExport } from '../export/authorizer-export.js';
import { CsvFile } from '../export/csv-file.js';
import { filters } from './authorizers.controller.js';

const exportQuery = z.strictObject(filters);

/** The list of authorizers to take away. */
@Controller('admin/wechat')
export class ExportController {
  constructor(private readonly list: AuthorizerExport) {}

  @Get('authorizers.csv')
  @ApiOperation({
    summary: 'The filtered list as CSV, in the order of the list',
    description: 'It carries off everything at once, so it takes an operator and is audited.',
  })
  @ApiOkResponse({
    description: 'UTF-8 with a byte order mark, RFC 4180',
    content: { 'text/csv': { schema: { type: 'string' } } },
  })
  @RequireRole('operator')
  @Audited('authorizer.export')
  @Header('cache-control', 'no-store')
  export(@Query({ schema: exportQuery }) filter: z.infer<typeof exportQuery>): CsvFile {
    return new CsvFile(`authorizers-${new Date().toISOString().slice(0, 10)}`, this.list.csv(filter));
  }
}
