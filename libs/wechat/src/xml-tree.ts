import { type FieldObject, type FieldValue } from '@app/events';
import { Parser } from 'xml2js';
import { PushRejected, type RejectionReason } from './rejection.js';

/** The largest body and the largest plaintext that is looked at. */
const MAX_BODY_BYTES = 64 * 1024;

const MAX_DEPTH = 32;
const MAX_ATTRIBUTES = 256;

/** Characters given to sax at a time, so that it can be stopped before it takes quadratic time over a declaration. */
const CHUNK = 512;
/** What sax collects of a `<!` before it knows a CDATA section or a DOCTYPE by it. */
const LONGEST_DECLARATION = '[CDATA['.length;

/** Anything XML does not allow in a document; PostgreSQL refuses some of it too. */
const FORBIDDEN_CHARACTER = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** What we touch of the sax parser below xml2js. */
interface Sax {
  ENTITIES: Record<string, string>;
  trackPosition: boolean;
  readonly tags: readonly unknown[];
  readonly closedRoot: boolean;
  readonly sgmlDecl: string;
  readonly doctype: string | true;
  onopentag: (node: unknown) => void;
  onattribute: () => void;
  onopencdata: () => void;
  ondoctype: () => void;
  onsgmldeclaration: () => void;
  onprocessinginstruction: (instruction: { name: string }) => void;
  write(text: string): void;
  close(): void;
}

/** What a document must be to be read, and the reason to give where it is not. */
export interface XmlBounds {
  readonly maxElements: number;
  readonly malformed: RejectionReason;
}

interface Node {
  [key: string]: string | (string | Node)[];
}

/** `<` cannot be in a name: no element can be mistaken for a method of Object or for one of xml2js's own keys. */
const MARK = '<';
const TEXT = '_';

const parser = new Parser({
  ignoreAttrs: true,
  explicitArray: true,
  tagNameProcessors: [(name) => MARK + name],
}) as Parser & { readonly saxParser: Sax };

/** The five of XML and no other; sax would fall back to those of HTML and to any case. */
const ENTITIES = new Proxy<Record<string, string>>(
  { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" },
  {
    get(known, name: string) {
      if (Object.hasOwn(known, name)) return known[name];
      if (/^#(?!X)/.test(name)) return undefined;
      throw new SyntaxError('Undeclared entity');
    },
  },
);

/**
 * Reads a document with root `<xml>`: repeated elements and `list` become arrays, values are trimmed, attributes ignored.
 *
 * @throws PushRejected with the given reason unless it is well-formed and in bounds, DOCTYPE_REFUSED for a DOCTYPE.
 */
export function readXml(document: string, bounds: XmlBounds): FieldObject {
  if (Buffer.byteLength(document) > MAX_BODY_BYTES) throw new PushRejected('BODY_TOO_LARGE');
  if (FORBIDDEN_CHARACTER.test(document)) throw new PushRejected(bounds.malformed);
  const root = buildTree(document.startsWith('\uFEFF') ? document.slice(1) : document, bounds)[`${MARK}xml`];
  if (root === undefined) throw new PushRejected(bounds.malformed);
  const fields = toField(root);
  return typeof fields === 'string' ? emptyObject() : (fields as FieldObject);
}

/** The parser is reused since building one costs more than reading a push; nothing here waits, so nobody else is in it. */
function buildTree(document: string, bounds: XmlBounds): Record<string, string | Node> {
  let tree: Record<string, string | Node> = {};
  parser.reset();
  parser.on('error', (error: unknown) => {
    throw error;
  });
  parser.on('end', (result: typeof tree | null) => {
    tree = result ?? tree;
  });
  tighten(parser.saxParser, document, bounds.maxElements);
  try {
    feed(parser.saxParser, document);
  } catch (cause) {
    throw cause instanceof PushRejected ? cause : new PushRejected(bounds.malformed, { cause });
  }
  return tree;
}

function feed(sax: Sax, document: string): void {
  for (let offset = 0; offset < document.length; offset += CHUNK) {
    sax.write(document.slice(offset, offset + CHUNK));
    if (sax.doctype || sax.sgmlDecl.length > LONGEST_DECLARATION) refuseDoctype();
  }
  sax.close();
}

/** Refuses what sax lets through although it is not well-formed, not for us, or too much. */
function tighten(sax: Sax, document: string, maxElements: number): void {
  let elements = 0;
  let attributes = 0;
  let instructions = 0;
  const open = sax.onopentag;
  sax.trackPosition = false;
  sax.ENTITIES = ENTITIES;
  sax.onopentag = (node) => {
    refuseIf(sax.closedRoot, 'Second root');
    refuseIf(sax.tags.length > MAX_DEPTH || ++elements > maxElements, 'Too deep or too many elements');
    open(node);
  };
  sax.onattribute = () => refuseIf(++attributes > MAX_ATTRIBUTES, 'Too many attributes');
  sax.onopencdata = () => refuseIf(sax.tags.length === 0, 'CDATA outside of the root');
  sax.onprocessinginstruction = ({ name }) => {
    const first = ++instructions === 1 && document.startsWith('<?xml');
    refuseIf(name.toLowerCase() === 'xml' && !first, 'Misplaced XML declaration');
  };
  sax.ondoctype = sax.onsgmldeclaration = refuseDoctype;
}

function refuseDoctype(): never {
  throw new PushRejected('DOCTYPE_REFUSED');
}

function refuseIf(wrong: boolean, why: string): void {
  if (wrong) throw new SyntaxError(why);
}

function toField(node: string | Node): FieldValue {
  if (typeof node === 'string') return trimBlanks(node);
  const fields = emptyObject();
  for (const [key, value] of Object.entries(node)) {
    if (typeof value === 'string') continue;
    const name = key.slice(MARK.length);
    const values = value.map(toField);
    fields[name] = values.length === 1 && name !== 'list' ? values[0]! : values;
  }
  const text = typeof node[TEXT] === 'string' ? trimBlanks(node[TEXT]) : '';
  if (text !== '') fields['#text'] = text;
  return fields;
}

/** Without a prototype, so that no name means anything but itself. */
function emptyObject(): FieldObject {
  return Object.create(null) as FieldObject;
}

/** XML's blanks only, and not by a regular expression: those take quadratic time for long runs of blanks. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
