import { Controller, Get, Headers, NotFoundException, Param, Redirect, Res, StreamableFile } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '@app/access';
import { type FastifyReply } from 'fastify';
import { ConsoleFiles } from './console-files.js';

/** Only what we serve, and nothing that is written into the page itself. */
const ONLY_OURS = [
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'",
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
].join('; ');

/** The operators' console. It holds no data, so anybody may have it: what it shows, it asks for with the key of who uses it. */
@Public()
@ApiExcludeController()
@Controller()
export class ConsoleController {
  constructor(private readonly files: ConsoleFiles) {}

  @Get()
  @Redirect('/console')
  home(): void {}

  @Get(['console', 'console/*'])
  file(
    @Param('*') name: string | undefined,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): StreamableFile | undefined {
    const file = this.files.find(name ?? '');
    if (!file) throw new NotFoundException();
    const { body, type, etag } = file;
    void reply.headers({ etag, 'cache-control': 'no-cache', 'content-security-policy': ONLY_OURS });
    if (known?.includes(etag)) return void reply.code(304);
    return new StreamableFile(body, { type, length: body.length });
  }
}
