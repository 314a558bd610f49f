/** Numbers are written plainly, texts in CDATA, arrays as repeated elements: the way real pushes look. */
export type PushFields = { [element: string]: PushValue };
type PushValue = string | number | PushFields | PushFields[];

export function pushXml(fields: PushFields): string {
  return `<xml>${elements(fields)}\n</xml>`;
}

function elements(fields: PushFields): string {
  return Object.entries(fields)
    .flatMap(([name, value]) =>
      Array.isArray(value) ? value.map((one) => element(name, one)) : [element(name, value)],
    )
    .join('\n');
}

function element(name: string, value: Exclude<PushValue, PushFields[]>): string {
  if (typeof value === 'number') return `<${name}>${value}</${name}>`;
  if (typeof value === 'string') return `<${name}><![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]></${name}>`;
  return `<${name}>\n${elements(value)}\n</${name}>`;
}

/** The text of an element of the sandbox's own XML, for the log. */
export function textOf(xml: string, name: string): string | null {
  const found = new RegExp(`<${name}>\\s*(?:<!\\[CDATA\\[)?([^<\\]]*)`).exec(xml);
  return found?.[1]?.trim() || null;
}
