/** What the start screen shows. */
export interface BannerFacts {
  readonly apiUrl: string;
  /** Absent where no such page is served. */
  readonly consoleUrl?: string;
  /** Absent where the platform is WeChat itself. */
  readonly sandbox?: { readonly url: string; readonly sampleAppId: string };
  /** In words, such as `embedded PostgreSQL, in .data/postgres`. Never its URL: that holds a password. */
  readonly database: string;
  /** The generated one. Absent where keys are configured: those are not ours to show. */
  readonly operatorKey?: string;
}

/** How text is set off. */
export interface Palette {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
}

const plain = (text: string) => text;
const ansi = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;

const PLAIN: Palette = { strong: plain, faint: plain, good: plain };
const COLOURED: Palette = { strong: ansi(1, 22), faint: ansi(2, 22), good: ansi(32, 39) };

/** Colours for a terminal, unless its user asked for none. @see https://no-color.org */
export function paletteFor(stream: { isTTY?: boolean }, noColor: string | undefined): Palette {
  return stream.isTTY && !noColor ? COLOURED : PLAIN;
}

/** The start screen: where everything is, and the first two things to try. */
export function renderBanner(facts: BannerFacts, palette: Palette): string {
  const title = `  ${palette.strong('WeChat authorization service')}${palette.faint(', in development')}`;
  const farewell = palette.faint('  Ctrl-C stops all of it.');
  const sections = [title, table(places(facts), palette), ...samples(facts, palette), farewell];
  return `\n${sections.join('\n\n')}\n\n`;
}

/** The moment everything is known to work together. */
export function renderFirstTicket(receivedAt: Date, palette: Palette): string {
  const time = receivedAt.toISOString().slice(11, 19);
  return `${palette.good('  ✓')} The first ticket arrived at ${time} UTC: pushes get through, and WeChat's API can be called.\n`;
}

function places({ apiUrl, consoleUrl, sandbox, database, operatorKey }: BannerFacts): [string, string | undefined][] {
  return [
    // The key is behind a #, which browsers send to nobody, and the console takes it out of the address at once.
    ['Console', consoleUrl && operatorKey ? `${consoleUrl}#key=${operatorKey}` : consoleUrl],
    ['API', apiUrl],
    ['API docs', `${apiUrl}/docs`],
    ['Sandbox', sandbox?.url],
    ['Operator key', operatorKey],
    ['Database', database],
  ];
}

function table(rows: [string, string | undefined][], { faint, strong }: Palette): string {
  const shown = rows.filter(([, value]) => value !== undefined);
  const width = Math.max(...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `  ${faint(label.padEnd(width))}  ${strong(value ?? '')}`).join('\n');
}

function samples({ apiUrl, sandbox, operatorKey }: BannerFacts, { faint }: Palette): string[] {
  const push = sandbox && [
    faint('  Let a merchant authorize; WeChat pushes that to us:'),
    `  curl -X POST ${sandbox.url}/sandbox/authorize -H 'content-type: application/json' -d '{"appId":"${sandbox.sampleAppId}"}'`,
  ];
  const ask = [
    faint('  Ask who has authorized us:'),
    `  curl -H 'Authorization: Bearer ${operatorKey ?? '<your key>'}' ${apiUrl}/admin/wechat/authorizers`,
  ];
  return [push, ask].filter((sample) => sample !== undefined).map((sample) => sample.join('\n'));
}
