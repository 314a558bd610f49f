import { type BannerFacts, paletteFor, renderBanner, renderFirstTicket } from './banner.js';

const facts: BannerFacts = {
  apiUrl: 'http://127.0.0.1:3000',
  consoleUrl: 'http://127.0.0.1:3000/console',
  sandbox: { url: 'http://127.0.0.1:3001', sampleAppId: 'wx3f1c7a9e52d80b64' },
  database: 'embedded PostgreSQL, in .data/postgres',
  operatorKey: 'KEY',
};
const plain = paletteFor({ isTTY: false }, undefined);
const coloured = paletteFor({ isTTY: true }, undefined);
const ANSI = /\u001b\[\d+m/g;

describe('The start screen', () => {
  it('shows where everything is and what to try', () => {
    expect(renderBanner(facts, plain)).toBe(`
  WeChat authorization service, in development

  Console       http://127.0.0.1:3000/console#key=KEY
  API           http://127.0.0.1:3000
  API docs      http://127.0.0.1:3000/docs
  Sandbox       http://127.0.0.1:3001
  Operator key  KEY
  Database      embedded PostgreSQL, in .data/postgres

  Let a merchant authorize; WeChat pushes that to us:
  curl -X POST http://127.0.0.1:3001/sandbox/authorize -H 'content-type: application/json' -d '{"appId":"wx3f1c7a9e52d80b64"}'

  Ask who has authorized us:
  curl -H 'Authorization: Bearer KEY' http://127.0.0.1:3000/admin/wechat/authorizers

  Ctrl-C stops all of it.

`);
  });

  it('leaves out what is not there', () => {
    const text = renderBanner({ apiUrl: facts.apiUrl, database: 'from DATABASE_URL' }, plain);
    expect(text).not.toMatch(/Sandbox|Console|Operator key|undefined|\/sandbox\//);
    expect(text).toContain('Bearer <your key>');
  });

  it('has a console to enter a key at where keys are configured', () => {
    const { operatorKey: _, ...configured } = facts;
    expect(renderBanner(configured, plain)).toContain('  Console   http://127.0.0.1:3000/console\n');
  });

  it('says the same in colours, and keeps its columns', () => {
    expect(renderBanner(facts, coloured)).toMatch(ANSI);
    expect(renderBanner(facts, coloured).replace(ANSI, '')).toBe(renderBanner(facts, plain));
  });

  it.each([
    ['a file', {}, undefined],
    ['a terminal whose user sets NO_COLOR', { isTTY: true }, '1'],
  ])('is not coloured in %s', (_where, stream, noColor) => {
    expect(renderBanner(facts, paletteFor(stream, noColor))).not.toMatch(ANSI);
  });
});

it('The first ticket is one line with the time', () => {
  expect(renderFirstTicket(new Date('2026-11-21T10:20:30Z'), plain)).toMatch(
    /^ {2}✓ .* arrived at 10:20:30 UTC: .*\n$/,
  );
});
