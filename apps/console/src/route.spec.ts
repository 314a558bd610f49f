import { changed, href, parseHash } from './route.js';

describe('a place in the console', () => {
  it.each([
    [['platform'], {}, '#/platform'],
    [['authorizers'], { q: '街角 & co', status: null, tenantId: '' }, '#/authorizers?q=%E8%A1%97%E8%A7%92+%26+co'],
    [['events', 'a/b?c#d'], {}, '#/events/a%2Fb%3Fc%23d'],
  ])('%j has an address that leads back to it', (path, query, address) => {
    expect(href(path, query)).toBe(address);
    expect(parseHash(address).path).toEqual(path);
  });

  it.each(['', '#', '#/', '#/?', '#/%', '#/events/%E4%A'])('can be anything, such as %j', (hash) => {
    expect(() => parseHash(hash)).not.toThrow();
  });

  it('is the first page where the filter changes', () => {
    const { query } = parseHash('#/events?status=failed&limit=2&cursor=abc');
    expect(href(['events'], changed(query, { status: 'processed' }))).toBe('#/events?status=processed&limit=2');
  });
});
