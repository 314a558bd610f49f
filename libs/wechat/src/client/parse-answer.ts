import { type JsonObject } from './wechat-answers.js';

const decoder = new TextDecoder('utf-8');
/** Nick names are known to bring control characters along, unescaped, which JSON forbids. */
const CONTROL_CHARACTERS = /[\u0000-\u001f]/g;

/**
 * Reads an answer as JSON, whatever its content type says; null when it is no JSON object.
 *
 * Every text in it can be stored in PostgreSQL afterwards: NUL and lone surrogates, which it refuses, are gone.
 */
export function parseAnswer(bytes: Buffer): JsonObject | null {
  const text = decoder.decode(bytes);
  // The message of a SyntaxError quotes the text, which may hold tokens: it goes no further.
  const answer = parse(text) ?? parse(text.replace(CONTROL_CHARACTERS, ''));
  return typeof answer === 'object' && answer !== null && !Array.isArray(answer) ? (answer as JsonObject) : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text, (_, value: unknown) => (typeof value === 'string' ? storable(value) : value)) as unknown;
  } catch {
    return undefined;
  }
}

function storable(value: string): string {
  return Buffer.from(value.replaceAll('\0', '')).toString();
}
