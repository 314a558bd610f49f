import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { dataFolderPath, openDataFolder } from './data-folder.js';

describe('The data folder', () => {
  let parent: string;
  let folder: string;
  beforeEach(() => {
    parent = mkdtempSync(path.join(os.tmpdir(), 'data-folder-'));
    folder = path.join(parent, '.data');
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  it('makes keys at the first start and keeps them', () => {
    const first = openDataFolder(folder);
    expect(Buffer.from(first.encryptionKeys.replace(/^dev:/, ''), 'base64')).toHaveLength(32);
    expect(first.operatorKey).toHaveLength(43);
    expect(openDataFolder(folder)).toEqual(first);
  });

  it('lets nobody else read the keys', () => {
    openDataFolder(folder);
    for (const name of ['encryption-keys', 'operator-key']) {
      expect(statSync(path.join(folder, name)).mode & 0o777).toBe(0o600);
    }
  });

  it.each(['', 'dev:', 'dev:c2hvcnQ=', 'nonsense'])('refuses a damaged encryption key %p', (text) => {
    openDataFolder(folder);
    writeFileSync(path.join(folder, 'encryption-keys'), text);
    expect(() => openDataFolder(folder)).toThrow(/encryption-keys does not hold an encryption key of 32 bytes/);
  });

  it('makes no new encryption key for a database that is sealed with a lost one', () => {
    mkdirSync(openDataFolder(folder).postgres);
    rmSync(path.join(folder, 'encryption-keys'));
    expect(() => openDataFolder(folder)).toThrow(/encryption-keys is gone/);
  });

  it('says so where a file is in its place', () => {
    writeFileSync(folder, '');
    expect(() => openDataFolder(folder)).toThrow(/\.data cannot be used \(EEXIST\)/);
  });

  it('says so where a key cannot be read', () => {
    mkdirSync(path.join(folder, 'operator-key'), { recursive: true });
    expect(() => openDataFolder(folder)).toThrow(/\.data cannot be used \(EISDIR\)/);
  });

  it('lies next to package.json', () => {
    mkdirSync(path.join(parent, 'dist', 'src'), { recursive: true });
    writeFileSync(path.join(parent, 'package.json'), '{}');
    expect(dataFolderPath(path.join(parent, 'dist', 'src'))).toBe(folder);
  });
});
