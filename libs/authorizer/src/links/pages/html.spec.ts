import { html } from './html.js';

describe('html', () => {
  it('escapes text in content and attributes, and keeps pieces', () => {
    const name = `<b onload="x">'&`;
    expect(html`<p title="${name}">${html`<i>${name}</i>`}</p>`.text).toBe(
      '<p title="&#60;b onload=&#34;x&#34;&#62;&#39;&#38;"><i>&#60;b onload=&#34;x&#34;&#62;&#39;&#38;</i></p>',
    );
  });

  it('joins lists and leaves out what is not there', () => {
    expect(html`${['<', html`<br />`]}${null}${false}${0}`.text).toBe('&#60;<br />0');
  });
});
