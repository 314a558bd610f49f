import { useEffect, useRef } from 'preact/hooks';
import { changed, go, href, route } from '../route.js';
import { fromField, toField } from '../time.js';

export interface Filter {
  /** The parameter of the API. */
  readonly name: string;
  readonly label: string;
  readonly kind?: 'text' | 'search' | 'number' | 'time';
  readonly options?: Readonly<Record<string, string>>;
  readonly example?: string;
  /** The option that is asked for when nothing is chosen. */
  readonly usual?: string;
}

/** Narrows the list. What it is narrowed by is in the address. */
export function Filters({ of }: { of: readonly Filter[] }) {
  const { path, query } = route.use();
  const form = useRef<HTMLFormElement>(null);
  const isSet = of.some(({ name }) => query.has(name));

  // Not by `value`: drawing the page again must not take away what is being typed.
  useEffect(() => {
    for (const { name, kind, usual = '' } of of) {
      const value = query.get(name) ?? usual;
      (form.current!.elements.namedItem(name) as HTMLInputElement).value = kind === 'time' ? toField(value) : value;
    }
  }, [query]);

  const apply = (event: Event) => {
    event.preventDefault();
    const values = new FormData(form.current!);
    const wanted = of.map(({ name, kind }) => {
      // A select has none where the address names an option that it does not offer.
      const value = ((values.get(name) ?? '') as string).trim();
      return [name, kind === 'time' ? fromField(value) : value] as const;
    });
    go(href(path, changed(query, Object.fromEntries(wanted))));
  };

  return (
    <form class="filters" ref={form} onSubmit={apply} role="search" aria-label="Filter the list">
      {of.map((filter) => (
        <label key={filter.name} class={filter.kind}>
          <span>{filter.label}</span>
          <Input {...filter} onPick={() => form.current!.requestSubmit()} />
        </label>
      ))}
      <div class="buttons">
        <button type="submit">Apply</button>
        {isSet && <a href={href(path)}>Clear</a>}
      </div>
    </form>
  );
}

function Input({ name, kind = 'text', options, example, usual, onPick }: Filter & { onPick: () => void }) {
  if (options)
    return (
      <select name={name} onChange={onPick}>
        {usual === undefined && <option value="">Any</option>}
        {Object.entries(options).map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    );
  if (kind === 'time') return <input name={name} type="datetime-local" step="1" max="9999-12-31T23:59:59" />;
  const inputMode = kind === 'number' ? 'numeric' : 'text';
  return <input name={name} inputMode={inputMode} placeholder={example} autocomplete="off" spellcheck={false} />;
}
