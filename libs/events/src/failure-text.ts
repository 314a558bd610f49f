const LONGEST = 1000;

/** What an error says and where it was thrown, fit to be kept: short, and without the one character PostgreSQL takes in no text. */
export function failureText(error: unknown): string {
  return messageOf(error).replaceAll('\0', '').slice(0, LONGEST);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at '));
  return `${error.name}: ${error.message}${place ? `\n${place.trim()}` : ''}`;
}
