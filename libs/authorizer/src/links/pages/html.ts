/** Text that is HTML already. Everything else is escaped on its way into a page. */
export class Html {
  constructor(readonly text: string) {}
}

type Content = Html | string | number | null | false | readonly Content[];

/** A piece of a page: what is put into it is text, whatever it looks like, unless it is a piece itself. */
export function html(literals: TemplateStringsArray, ...contents: Content[]): Html {
  const text = literals.reduce((page, literal, index) => `${page}${render(contents[index - 1] ?? null)}${literal}`);
  return new Html(text);
}

function render(content: Content): string {
  if (content === null || content === false) return '';
  if (content instanceof Html) return content.text;
  if (typeof content === 'object') return content.map(render).join('');
  return String(content).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
