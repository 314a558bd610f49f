import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const SCRIPT = path.resolve(__dirname, '../scripts/build.cjs');
const AN_HOUR_AGO = Date.now() / 1000 - 3600;

/** The script is the real one; the compilers are stand-ins that write one file, so that it does not take minutes. */
describe('building over what is there', () => {
  let root: string;
  const at = (name: string) => path.join(root, name);
  beforeEach(() => {
    root = mkdtempSync(path.join(os.tmpdir(), 'build-'));
    for (const folder of ['scripts', 'bin', 'dist/apps/gone']) mkdirSync(at(folder), { recursive: true });
    copyFileSync(SCRIPT, at('scripts/build.cjs'));
    for (const name of ['dist/main.js', 'dist/apps/gone/old.js']) {
      writeFileSync(at(name), 'before');
      utimesSync(at(name), AN_HOUR_AGO, AN_HOUR_AGO);
    }
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** Compiles as `compiler` says, and bundles nothing. */
  const build = (compiler: string) => {
    for (const [name, text] of [
      ['nest', compiler],
      ['npm', 'true'],
    ] as const) {
      writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${text}\n`);
      chmodSync(at(`bin/${name}`), 0o755);
    }
    const env = { PATH: `${at('bin')}:${process.env.PATH}` };
    return spawnSync(process.execPath, [at('scripts/build.cjs')], { env }).status;
  };

  it('takes nothing from a server that runs from it, and sweeps what is left over when all is written', () => {
    const status = build('test -f dist/main.js && test -f dist/apps/gone/old.js && echo after > dist/main.js');
    expect([status, existsSync(at('dist/main.js')), existsSync(at('dist/apps/gone/old.js'))]).toEqual([0, true, false]);
  });

  it('sweeps nothing when it fails, and says so', () => {
    const status = build('exit 3');
    expect([status, existsSync(at('dist/main.js')), existsSync(at('dist/apps/gone/old.js'))]).toEqual([3, true, true]);
  });
});
