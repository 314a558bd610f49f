import { showAccounts } from './accounts.js';
import { showApis } from './apis.js';
import { control, say } from './controls.js';
import { $ } from './dom.js';
import { showPushes } from './pushes.js';

const REFRESH_MS = 1000;
let failed = false;

async function refresh() {
  try {
    const [state, pushes] = await Promise.all([control('state'), control('pushes')]);
    $('receiver').textContent = state.receiver ?? 'nowhere';
    $('component').textContent = state.componentAppId;
    showAccounts(state);
    showApis(state);
    showPushes(state, pushes);
    if (failed) say('');
    failed = false;
  } catch {
    failed = true;
    say('The sandbox does not answer. Is it still running?');
  }
}

async function keepFresh() {
  if (!document.hidden) await refresh();
  setTimeout(keepFresh, REFRESH_MS);
}

document.addEventListener('changed', refresh);
await keepFresh();
