import { act } from './controls.js';
import { $, button, el, redraw } from './dom.js';

const NUMBERS = { hang: ['ms', '3000'], http: ['status', '500'], errcode: ['errcode', '45009'] };
const form = $('fault-form');

form.elements.kind.onchange = () => {
  const [, usual] = NUMBERS[form.elements.kind.value] ?? [];
  form.elements.number.disabled = usual === undefined;
  form.elements.number.value = usual ?? '';
};

form.onsubmit = (event) => {
  event.preventDefault();
  const { path, kind, number, times, probability } = Object.fromEntries(new FormData(form));
  const fault = { path, kind };
  if (NUMBERS[kind]) fault[NUMBERS[kind][0]] = Number(number);
  if (times) fault.times = Number(times);
  if (probability) fault.probability = Number(probability);
  void act('faults', fault);
};

export function showApis({ apis, faults }) {
  const paths = apis.map(({ path }) => path);
  if (form.elements.path.options.length === 0) {
    const options = ['*', ...paths].map((path) => el('option', { value: path }, path === '*' ? 'all' : nameOf(path)));
    form.elements.path.append(...options);
  }
  redraw('faults', faults, () => faults.map(chip));
  redraw('apis', apis, () => apis.filter(({ calls }) => calls > 0).map(row));
}

function chip({ id, fault, left }) {
  const { path, kind, probability, times: _times, seed: _seed, ...numbers } = fault;
  const chance = probability === undefined ? '' : `, chance ${probability}`;
  const rest = left === null ? '' : `, next ${left}`;
  const what = [kind, ...Object.values(numbers)].join(' ');
  const label = `${!path || path === '*' ? 'all' : nameOf(path)}: ${what}${rest}${chance}`;
  const remove = button('Remove', () => act('faults/clear', { id }), { key: `fault ${id}` });
  return el('li', { className: 'bad' }, label, ' ', remove);
}

function row({ path, calls, successes, errors, faults }) {
  const cells = [calls, successes, errors, faults].map((count) => el('td', {}, String(count)));
  return el('tr', {}, el('th', { scope: 'row' }, el('code', {}, nameOf(path))), ...cells);
}

function nameOf(path) {
  return path.replace(/^\/cgi-bin\/(component\/)?/, '');
}
