/** What spreadsheets take for the beginning of a formula, behind white space and in full width too. */
const FORMULA = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/u;
const NEEDS_QUOTES = /[",\r\n\t]|^\s|\s$/u;

/** Makes Excel read UTF-8. */
export const BYTE_ORDER_MARK = '\u{feff}';

/** One line of CSV by RFC 4180. A cell that a spreadsheet would run is made text by an apostrophe before it. */
export function csvLine(cells: readonly (string | null)[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(value: string | null): string {
  if (value === null) return '';
  const harmless = FORMULA.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
