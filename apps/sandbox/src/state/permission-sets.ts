import { type AccountKind } from './account.js';

/** Names of the permission sets the sandbox offers. Real platforms know more; ids are open integers. */
const NAMES: Readonly<Record<number, string>> = {
  1: '消息管理',
  2: '用户管理',
  3: '账号服务',
  4: '网页服务',
  7: '群发与通知',
  11: '素材管理',
  15: '自定义菜单',
  17: '获取小程序码',
  18: '小程序开发与数据分析',
  19: '小程序客服管理',
  24: '开放平台账号管理',
  25: '开放平台账号管理',
  30: '小程序基本信息管理',
  33: '小程序关联管理',
  37: '附近的小程序',
  40: '小程序插件管理',
  65: '小程序广告管理',
  89: '服务号订阅通知',
  129: '视频号小店商品管理',
  130: '视频号小店物流管理',
  131: '视频号小店订单与售后管理',
  143: '视频号留资组件管理',
  156: '小程序备案服务',
  160: '视频号留资服务的直播数据',
  176: '达人数据',
  177: '视频号商品橱窗管理',
  189: '带货助手橱窗商品管理',
  190: '带货助手订单管理',
};

const OFFICIAL = [1, 2, 3, 4, 7, 11, 15, 24, 33];
const BY_KIND: Readonly<Record<AccountKind, readonly number[]>> = {
  official_account: OFFICIAL,
  service_account: [...OFFICIAL, 89],
  mini_program: [17, 18, 19, 25, 30, 37, 40, 65, 156],
  channels: [143, 160, 176, 177],
  store: [129, 130, 131],
  talent: [189, 190],
};

/** The sets an account of this kind is asked for, all of them granted unless the merchant deselects some. */
export function offeredSets(kind: AccountKind): readonly number[] {
  return BY_KIND[kind];
}

export function permissionSetName(id: number): string {
  return NAMES[id] ?? `权限集 ${id}`;
}
