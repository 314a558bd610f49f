import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ERRCODES } from './errcodes.js';

const page = readFileSync(path.resolve(__dirname, '../../../../docs/errcodes.md'), 'utf8');

function rows(): string[][] {
  const lines = page.split('\n').filter((line) => /^\| +-?\d+ +\|/.test(line));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('docs/errcodes.md', () => {
  it('lists every errcode once, with its meaning, its classes and the advice', () => {
    const expected = [...ERRCODES]
      .sort(([a], [b]) => a - b)
      .map(([code, { name, reaction, reactionByApi = {}, advice }]) => {
        const elsewhere = Object.entries(reactionByApi).map(([api, other]) => `\`${other}\` from \`${api}\``);
        return [String(code), name, [`\`${reaction}\``, ...elsewhere].join('; '), advice];
      });
    expect(rows()).toEqual(expected);
  });

  it('says for every class what it leads to', () => {
    const classes = new Set([...ERRCODES.values()].map(({ reaction }) => reaction));
    for (const reaction of classes) expect(page).toMatch(new RegExp(`^\\| \`${reaction}\` +\\|`, 'm'));
  });
});
