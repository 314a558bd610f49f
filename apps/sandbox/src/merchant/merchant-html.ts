import { type Account, type AccountKind } from '../state/account.js';
import { permissionSetName } from '../state/permission-sets.js';
import { type AuthorizationRequest, type Offer } from './authorization-request.js';

const KIND_NAMES: Readonly<Record<AccountKind, string>> = {
  official_account: '订阅号',
  service_account: '服务号',
  mini_program: '小程序',
  channels: '视频号',
  store: '微信小店',
  talent: '带货助手',
};

/** The page of accounts and permission sets. One form per account, so that it works without scripts. */
export function authorizationPage({ offers }: AuthorizationRequest, action: string): string {
  const hint = '选择账号，勾选要授予的权限。<span lang="en">Choose an account and the permissions to grant.</span>';
  return layout('授权给第三方平台', `<p>${hint}</p>${offers.map((offer) => accountForm(offer, action)).join('')}`);
}

export function refusalPage(message: string): string {
  return layout('无法授权', `<p role="alert" class="refusal">${escape(message)}</p>`);
}

function accountForm({ account, funcIds }: Offer, action: string): string {
  return `
<details class="offer" name="account">
  <summary><strong>${escape(account.nickName)}</strong> <span>${KIND_NAMES[account.kind]} · ${escape(account.principalName)}</span>${
    account.grant ? ' <em>已授权</em>' : ''
  }</summary>
  <form method="post" action="${escape(action)}">
    <input type="hidden" name="app_id" value="${escape(account.appId)}">
    <fieldset><legend>权限集</legend>${funcIds.map((id) => checkbox(account, id)).join('')}</fieldset>
    <button>${account.grant ? '更新授权' : '授权'} <span lang="en">Authorize</span></button>
  </form>
</details>`;
}

function checkbox({ grant }: Account, id: number): string {
  const checked = !grant || grant.funcIds.includes(id) ? ' checked' : '';
  return `<label><input type="checkbox" name="func_id" value="${id}"${checked}> ${escape(permissionSetName(id))}</label>`;
}

function layout(title: string, content: string): string {
  return `<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · WeChat sandbox</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/sandbox.css">
</head>
<body class="merchant"><main><p class="stand-in" lang="en">This is the sandbox, not WeChat.</p><h1>${title}</h1>${content}</main></body>
</html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
