import { type Account } from '../state/account.js';
import { offeredSets, permissionSetName } from '../state/permission-sets.js';
import { type World } from '../world.js';

const SHOWN_ACCOUNTS = 50;

/** An account as the page shows it: no tokens. */
export function viewOf(account: Account): object {
  const { grant } = account;
  const ids = [...new Set([...offeredSets(account.kind), ...(grant?.funcIds ?? [])])];
  return {
    appId: account.appId,
    kind: account.kind,
    nickName: account.nickName,
    principalName: account.principalName,
    userName: account.userName,
    status: account.status,
    grant: grant && { funcIds: grant.funcIds, authTime: grant.authTime, exchanged: grant.exchanged },
    permissionSets: ids.map((id) => ({ id, name: permissionSetName(id) })),
  };
}

/** Everything the page shows beside the pushes. */
export function stateOf(world: World, apiPaths: readonly string[]): object {
  return {
    componentAppId: world.credentials.componentAppId,
    receiver: world.pushes.url,
    isHolding: world.pushes.isHolding,
    delayMs: world.pushes.delayMs,
    behaviour: {
      rotateOnRefresh: world.authorizations.rotateOnRefresh,
      redirectsWithAnotherCode: world.redirectsWithAnotherCode,
    },
    totals: { accounts: world.accounts.size, authorized: world.accounts.authorized().length },
    accounts: world.accounts.first(SHOWN_ACCOUNTS).map(viewOf),
    faults: world.faults.list(),
    apis: apiPaths.map((path) => ({ path, ...world.counters.of(path) })),
  };
}
