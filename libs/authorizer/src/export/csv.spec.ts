import fc from 'fast-check';
import { csvLine } from './csv.js';

/** Reads one line back, by the grammar of RFC 4180. */
function read(line: string): string[] {
  const cells: string[] = [];
  for (let rest = `,${line.slice(0, -2)}`; rest !== '';) {
    const [all, quoted, plain = ''] = /^,(?:"((?:[^"]|"")*)"|([^",]*))/.exec(rest)!;
    cells.push(quoted?.replaceAll('""', '"') ?? plain);
    rest = rest.slice(all.length);
  }
  return cells;
}

describe('a line of CSV', () => {
  it.each([
    [['a', 'b'], 'a,b\r\n'],
    [['a,b', 'c"d'], '"a,b","c""d"\r\n'],
    [['two\nlines', null, ''], '"two\nlines",,\r\n'],
    [[' padded '], '" padded "\r\n'],
    [['咖啡馆', '😀'], '咖啡馆,😀\r\n'],
  ])('of %j is %j', (cells, line) => {
    expect(csvLine(cells)).toBe(line);
  });

  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    ' =1',
    '＝1',
    '＋1',
    '－1',
    '＠x',
    '=HYPERLINK("x","y")',
  ])('makes text of the formula %j', (formula) => {
    expect(read(csvLine([formula]))).toEqual([`'${formula}`]);
  });

  it('is read back as what was written, apart from the apostrophe', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2, maxLength: 5 }), (cells) => {
        const back = read(csvLine(cells));
        expect(back.map((text, index) => (text === `'${cells[index]}` ? text.slice(1) : text))).toEqual(cells);
      }),
    );
  });
});
