'use strict';
// Jest on Node < 24.9 cannot require() ES modules, and NestJS 12 ships only ES modules.
// This transformer compiles the project's TypeScript AND any ESM file in node_modules to CommonJS,
// and hands CommonJS files of node_modules back untouched.
const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { createTransformer } = require('@swc/jest');

const common = { sourceMaps: 'inline', module: { type: 'commonjs', importInterop: 'swc' } };
const ts = createTransformer({
  swcrc: false,
  ...common,
  jsc: {
    target: 'es2022',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
  },
});
const js = createTransformer({
  swcrc: false,
  ...common,
  sourceMaps: false,
  jsc: { target: 'es2022', parser: { syntax: 'ecmascript', decorators: false } },
});

const types = new Map();
function isEsm(file) {
  if (file.endsWith('.mjs')) return true;
  if (file.endsWith('.cjs')) return false;
  let dir = path.dirname(file);
  for (;;) {
    let t = types.get(dir);
    if (t === undefined) {
      const p = path.join(dir, 'package.json');
      t = existsSync(p) ? (JSON.parse(readFileSync(p, 'utf8')).type ?? 'commonjs') : null;
      types.set(dir, t);
    }
    if (t) return t === 'module';
    const up = path.dirname(dir);
    if (up === dir || path.basename(dir) === 'node_modules') return false;
    dir = up;
  }
}
const pick = (f) =>
  f.includes(`${path.sep}node_modules${path.sep}`)
    ? isEsm(f)
      ? js
      : null
    : f.endsWith('.ts')
      ? ts
      : isEsm(f)
        ? js
        : null;
module.exports = {
  canInstrument: false,
  process(src, file, opts) {
    const t = pick(file);
    return t ? t.process(src, file, opts) : { code: src };
  },
  getCacheKey(src, file, opts) {
    const t = pick(file);
    return t
      ? t.getCacheKey(src, file, opts)
      : require('node:crypto').createHash('sha1').update(src).update(file).digest('hex');
  },
};
