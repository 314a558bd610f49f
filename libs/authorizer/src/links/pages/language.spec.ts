import { languageOf } from './language.js';

describe('the language of a page', () => {
  it.each([
    [undefined, 'zh'],
    ['', 'zh'],
    ['*', 'zh'],
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
    ['zh', 'zh'],
    ['en-US,en;q=0.9', 'en'],
    ['en;q=0.5, zh-Hant;q=0.7', 'zh'],
    ['zh;q=0.3,en;q=0.9', 'en'],
    ['zh;q=0, en', 'en'],
    ['fr-FR, de;q=0.9', 'en'],
    ['zhx', 'en'],
    ['zh-TW', 'zh'],
    ['ZH-hant-HK', 'zh'],
    ['zh;q=0,*', 'en'],
    ['en;q=0.1,zh;q=0.05', 'en'],
    ['en, zh', 'en'],
    ['<script>', 'zh'],
    ['en;q=9', 'zh'],
    ['en;q=-1', 'zh'],
    ['\u00ff, en;q=0.5', 'en'],
    [',;q=,;;q=1,en;q=x', 'zh'],
    ['en,'.repeat(10_000), 'en'],
  ])('for Accept-Language %.40s is %s', (header, language) => {
    expect(languageOf(header)).toBe(language);
  });
});
