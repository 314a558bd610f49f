import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HttpReply } from '../http.js';

const TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript' } as const;

/** Everything the page consists of; no other file can be asked for. */
const FILES: Readonly<Record<string, string>> = {
  '/': 'index.html',
  '/assets/sandbox.css': 'sandbox.css',
  ...Object.fromEntries(
    ['page', 'accounts', 'pushes', 'apis', 'controls', 'dom'].map((name) => [`/assets/${name}.js`, `${name}.js`]),
  ),
};

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The compiled sandbox runs from dist/, its page stays where it was written. */
const PUBLIC = ['../../public', '../../../../../apps/sandbox/public']
  .map((path) => join(__dirname, path))
  .find((path) => existsSync(join(path, 'index.html')));

/** A file of the page at `/`, or null. */
export async function controlPage(path: string): Promise<HttpReply | null> {
  const file = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  if (!file || !PUBLIC) return null;
  const type = TYPES[file.slice(file.lastIndexOf('.') + 1) as keyof typeof TYPES];
  return {
    status: 200,
    headers: {
      'content-type': `${type}; charset=utf-8`,
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    },
    body: await readFile(join(PUBLIC, file), 'utf8'),
  };
}
