/** Makes an element; text is always text, never markup. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'data') Object.assign(element.dataset, value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const $ = (id) => document.getElementById(id);

export function button(label, onclick, { key, ...properties } = {}) {
  return el('button', { type: 'button', onclick, data: { key: key ?? label }, ...properties }, label);
}

const shown = new Map();

/** Draws only what changed, and gives the keyboard its place back. */
export function redraw(id, value, children) {
  const text = JSON.stringify(value);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  const focused = document.activeElement?.dataset?.key;
  const parent = $(id);
  parent.replaceChildren(...children());
  if (focused) parent.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}
