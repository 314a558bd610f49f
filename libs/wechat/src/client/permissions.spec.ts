import { permissionName } from './permissions.js';

describe('permissionName', () => {
  it.each([
    [1, '消息管理'],
    [17, '获取小程序码'],
    [143, '视频号留资组件管理'],
    [190, '带货助手订单管理'],
  ])('knows %i as %s', (id, name) => {
    expect(permissionName(id)).toBe(name);
  });

  it.each([0, -1, 115, 99_999, 1.5, NaN])('answers null for %d, which nobody has documented', (id) => {
    expect(permissionName(id)).toBeNull();
  });
});
