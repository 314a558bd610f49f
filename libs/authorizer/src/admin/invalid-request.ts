/** One complaint of a schema, as zod makes them. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: string;
  readonly keys?: readonly string[];
}

/** A request whose parameters or body are wrong: every field is named, and nothing was changed. */
export class InvalidRequest extends Error {
  readonly status = 400;
  readonly code = 'INVALID_REQUEST';
  readonly title = 'The request has fields that are wrong';
  readonly detail: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];

  constructor(issues: readonly Issue[]) {
    super('Invalid request');
    this.name = 'InvalidRequest';
    this.errors = issues.flatMap(complaints);
    this.detail = this.errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  }
}

function complaints({ message, path = [], code, keys = [] }: Issue) {
  const place = path.map((part) => String(typeof part === 'object' ? part.key : part));
  if (code === 'unrecognized_keys') {
    return keys.map((key) => ({ field: [...place, key].join('.'), message: 'is not a known field' }));
  }
  return [{ field: place.join('.') || '(body)', message }];
}
