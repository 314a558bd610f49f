import { failureText } from './failure-text.js';

describe('the text of a failure', () => {
  it('says what went wrong, and where', () => {
    expect(failureText(new TypeError('no'))).toMatch(/^TypeError: no\nat .*failure-text\.spec/);
  });

  it.each([
    ['a\0b', 'ab'],
    [undefined, 'undefined'],
    ['x'.repeat(2000), 'x'.repeat(1000)],
  ])('of what is thrown, whatever it is, can be stored (%j)', (thrown, text) => {
    expect(failureText(thrown)).toBe(text);
  });
});
