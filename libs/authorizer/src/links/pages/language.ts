export type Language = 'zh' | 'en';

const CHINESE = /^zh\b/i;
const TAG = /^(?:\*|[a-z]{1,8}(?:-[a-z\d]{1,8})*)$/i;

/** The better of our two languages for a reader: Chinese unless another language is preferred to it. What is no language is ignored. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const wishes = (acceptLanguage ?? '').slice(0, 500).split(',').map(wishOf);
  const [first] = wishes.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality);
  if (first?.tag === '*') return wishes.some(({ tag, quality }) => CHINESE.test(tag) && quality === 0) ? 'en' : 'zh';
  return !first || CHINESE.test(first.tag) ? 'zh' : 'en';
}

function wishOf(wish: string): { tag: string; quality: number } {
  const [tag = '', ...parameters] = wish.split(';').map((part) => part.trim());
  const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
  const isUnderstood = TAG.test(tag) && /^[01](?:\.\d{0,3})?$/.test(given);
  return { tag, quality: isUnderstood ? Math.min(1, Number(given)) : NaN };
}
