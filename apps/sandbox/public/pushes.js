import { act } from './controls.js';
import { $, button, el, redraw } from './dom.js';

const opened = new Set();
let isHolding = false;

$('ticket').onclick = () => act('ticket', {});
$('burst').onclick = () => act('ticket', { times: 4 });
$('hold').onclick = () => (isHolding ? act('release', {}) : act('hold', {}));
$('release').onclick = () => act('release', { order: 'as-sent' });
$('release-reversed').onclick = () => act('release', { order: 'reversed' });
$('delay').onchange = (event) => act('delay', { ms: Number(event.target.value) });

export function showPushes(state, pushes) {
  isHolding = state.isHolding;
  const held = pushes.filter((push) => push.state === 'held').length;
  $('hold').setAttribute('aria-pressed', String(isHolding));
  $('hold').textContent = isHolding ? `Holding (${held})` : 'Hold pushes';
  $('release').hidden = !isHolding;
  $('release-reversed').hidden = !isHolding;
  if (document.activeElement !== $('delay')) $('delay').value = String(state.delayMs);
  $('no-pushes').hidden = pushes.length > 0;
  const names = Object.fromEntries(state.accounts.map(({ appId, nickName }) => [appId, nickName]));
  redraw('pushes', [pushes, names], () => pushes.map((push) => row(push, names)));
}

function row(push, names) {
  const { id } = push;
  const details = el(
    'details',
    { open: opened.has(id), ontoggle: (event) => (event.target.open ? opened.add(id) : opened.delete(id)) },
    el('summary', { data: { key: `details ${id}` } }, summary(push, names)),
    el('pre', {}, push.xml),
    push.answer === null ? null : el('p', { className: 'quiet' }, `Answer (HTTP ${push.status}):`),
    push.answer === null ? null : el('pre', {}, push.answer || '(empty)'),
  );
  const again =
    push.sentAt === null
      ? []
      : [
          button('Repeat', () => act('repeat', { id }), { key: `repeat ${id}`, title: 'The same bytes again' }),
          button('Repeat re-encrypted', () => act('repeat', { id, resealed: true }), { key: `resealed ${id}` }),
        ];
  return el('li', { className: outcome(push)[0] }, details, el('div', { className: 'bar' }, ...again));
}

function summary(push, names) {
  const [tone, text] = outcome(push);
  const time = push.sentAt ? new Date(push.sentAt).toLocaleTimeString([], { hour12: false }) : '—';
  const about = push.appId ? (names[push.appId] ?? push.appId) : '';
  return el(
    'span',
    { className: 'line' },
    el('time', {}, time),
    el('strong', {}, push.infoType ?? '(raw)'),
    el('span', { lang: 'zh-CN' }, about),
    push.repeatOf === null ? null : el('span', { className: 'badge' }, `repeat of #${push.repeatOf}`),
    el('span', { className: `badge ${tone}` }, text),
  );
}

function outcome({ state, status, answer, accepted, ms, error }) {
  if (state === 'held' || state === 'delayed' || state === 'sending') return ['waiting', state];
  if (accepted) return ['good', `success · ${ms} ms`];
  if (state === 'failed') return ['bad', error];
  return ['bad', `HTTP ${status}${status === 200 ? `: ${answer.slice(0, 20) || 'empty'}` : ''} · ${ms} ms`];
}
