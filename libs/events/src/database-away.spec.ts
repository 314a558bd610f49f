import { isDatabaseAway } from './database-away.js';

describe('a database', () => {
  it.each([
    ['nobody listens at', 'ECONNREFUSED'],
    ['a firewall keeps us from', 'EHOSTUNREACH'],
    ['there is no network to', 'ENETUNREACH'],
    ['whose host is down', 'EHOSTDOWN'],
    ['whose connection our own system gave up', 'ECONNABORTED'],
    ['that is starting', '57P03'],
    ['that has no connection left', '53300'],
  ])('%s is away (%s)', (_, code) => {
    expect(isDatabaseAway(Object.assign(new Error('connect'), { code }))).toBe(true);
    const driverError = Object.assign(new Error('connect'), { code });
    expect(isDatabaseAway(Object.assign(new Error('as TypeORM wraps it'), { driverError }))).toBe(true);
  });

  it.each([
    ['a row twice', '23505'],
    ['what is no number', '22P02'],
    ['nothing in particular', undefined],
  ])('that refuses %s is there', (_, code) => {
    expect(isDatabaseAway(Object.assign(new Error('no'), { code }))).toBe(false);
  });
});
