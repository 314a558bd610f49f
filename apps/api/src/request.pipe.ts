import {
  type ArgumentMetadata,
  NotFoundException,
  type PipeTransform,
  StandardSchemaValidationPipe,
} from '@nestjs/common';
import { InvalidRequest } from '@app/authorizer';

/** What PostgreSQL and UTF-8 have no place for: NUL, and halves of characters. */
const NOT_TEXT = /[\0\p{Cs}]/u;
const NOT_TEXT_MESSAGE = 'must not contain NUL or half a character';

/** Nest takes `__proto__` and `constructor` out in silence; here they are names that nobody knows, and the schemas say so. */
class Validation extends StandardSchemaValidationPipe {
  protected override stripProtoKeys(): void {
    // Nothing is passed over.
  }
}

/** Checks what a route takes against its schema, and everything in it for text that no text column can hold. */
export class RequestPipe implements PipeTransform<unknown> {
  private readonly validation = new Validation({
    exceptionFactory: (issues) => new InvalidRequest(issues),
  });

  /**
   * @throws NotFoundException for a path that nothing can be at
   * @throws InvalidRequest naming every field that is wrong
   */
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    if (metadata.type === 'param' && typeof value === 'string' && NOT_TEXT.test(value)) throw new NotFoundException();
    const fields = metadata.schema ? fieldsWithoutText(value) : [];
    if (fields.length > 0) throw new InvalidRequest(fields.map((path) => ({ path, message: NOT_TEXT_MESSAGE })));
    return this.validation.transform(value, metadata);
  }
}

/** Not recursive: a body may nest deeper than the stack. */
function fieldsWithoutText(value: unknown): string[][] {
  const found: string[][] = [];
  const left: [string[], unknown][] = [[[], value]];
  for (let next = left.pop(); next; next = left.pop()) {
    const [path, part] = next;
    if (typeof part === 'string' && NOT_TEXT.test(part)) found.push(path.slice(0, 3));
    if (typeof part !== 'object' || part === null || path.length > 10) continue;
    for (const [name, inner] of Object.entries(part)) left.push([[...path, name], inner]);
  }
  return found;
}
