import { act, control } from './controls.js';
import { $, button, el, redraw } from './dom.js';

const KINDS = {
  official_account: 'Subscription account',
  service_account: 'Service account',
  mini_program: 'Mini program',
  channels: 'Channels',
  store: 'Store',
  talent: 'Talent',
};
const STATUSES = ['normal', 'warned', 'frozen', 'banned', 'cancelled'];

$('fast-register').onclick = () => act('fast-register', {});

export function showAccounts({ accounts, totals }) {
  $('totals').textContent = `${totals.authorized} of ${totals.accounts} have authorized`;
  redraw('accounts', accounts, () => accounts.map(card));
}

function card(account) {
  const { appId, grant } = account;
  const actions = grant
    ? [
        button('Permissions…', () => choosePermissions(account), { key: `permissions ${appId}` }),
        button('Revoke', () => act('revoke', { appId }), { key: `revoke ${appId}` }),
      ]
    : [button('Authorize', () => choosePermissions(account), { key: `authorize ${appId}`, ...canAuthorize(account) })];
  return el(
    'li',
    { className: grant ? 'authorized' : '' },
    el('div', { className: 'who' }, el('strong', { lang: 'zh-CN' }, account.nickName), badge(account)),
    el(
      'div',
      { className: 'quiet' },
      `${KINDS[account.kind]} · `,
      el('span', { lang: 'zh-CN' }, account.principalName),
    ),
    el('code', {}, appId),
    el('div', { className: 'bar' }, ...actions, statusChoice(account)),
  );
}

/** WeChat does not show such accounts on its authorization page. */
function canAuthorize({ status }) {
  const canAct = status === 'normal' || status === 'warned';
  return canAct ? { className: 'primary' } : { disabled: true, title: `A ${status} account cannot authorize` };
}

function badge({ grant }) {
  if (!grant) return el('span', { className: 'badge' }, 'not authorized');
  const label = `${grant.funcIds.length} permission sets${grant.exchanged ? '' : ', code not exchanged'}`;
  return el('span', { className: grant.exchanged ? 'badge good' : 'badge waiting' }, label);
}

function statusChoice({ appId, nickName, status }) {
  const options = STATUSES.map((value) => el('option', { value, selected: value === status }, `is ${value}`));
  const onchange = (event) => act('status', { appId, status: event.target.value });
  const choice = { onchange, 'aria-label': `Status of ${nickName}`, data: { key: `status ${appId}` } };
  return el('select', { ...choice, className: status === 'normal' ? '' : 'limited' }, ...options);
}

function choosePermissions({ appId, nickName, grant, permissionSets }) {
  const dialog = $('permissions');
  $('permissions-title').textContent = `${grant ? 'Update' : 'Authorize'} ${nickName}`;
  const boxes = permissionSets.map(({ id }) =>
    el('input', { type: 'checkbox', value: id, checked: !grant || grant.funcIds.includes(id) }),
  );
  const labels = permissionSets.map(({ id, name }, index) =>
    el('label', { lang: 'zh-CN' }, boxes[index], ` ${id} ${name}`),
  );
  $('permission-list').replaceChildren(...labels);
  dialog.returnValue = 'cancel';
  dialog.onclose = () => {
    if (dialog.returnValue === 'confirm') void authorize(appId, boxes);
  };
  dialog.showModal();
}

async function authorize(appId, boxes) {
  const funcIds = boxes.filter((box) => box.checked).map((box) => Number(box.value));
  const before = (await control('state')).accounts.find((account) => account.appId === appId)?.grant?.funcIds;
  const isSame = before?.length === funcIds.length && funcIds.every((id) => before.includes(id));
  await act(
    'authorize',
    { appId, funcIds },
    isSame ? 'The permission sets stayed as they were: WeChat pushes nothing.' : '',
  );
}
