import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Where `npm run build` puts the console, seen from where it puts this file. */
export const BUILT_CONSOLE = path.resolve(__dirname, '../../../console');

const PAGE = 'index.html';
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface ConsoleFile {
  readonly body: Buffer;
  readonly type: string;
  /** Changes with the content, so that browsers keep a file exactly as long as it is the same. */
  readonly etag: string;
}

/** The files of the built console, read once. There are none where it has not been built. */
export class ConsoleFiles {
  private readonly files: ReadonlyMap<string, ConsoleFile>;

  constructor(folder: string) {
    const names = existsSync(path.join(folder, PAGE)) ? readdirSync(folder) : [];
    this.files = new Map(names.flatMap((name) => read(folder, name)));
  }

  get isBuilt(): boolean {
    return this.files.size > 0;
  }

  find(name: string): ConsoleFile | undefined {
    return this.files.get(name || PAGE);
  }
}

function read(folder: string, name: string): [string, ConsoleFile][] {
  const type = TYPES[path.extname(name)];
  if (!type) return [];
  const body = readFileSync(path.join(folder, name));
  return [[name, { body, type, etag: `"${createHash('sha256').update(body).digest('base64url')}"` }]];
}
