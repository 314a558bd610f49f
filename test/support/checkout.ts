import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../..');

/** A copy of what runs, with a data folder of its own. */
export class Checkout {
  readonly root = mkdtempSync(path.join(os.tmpdir(), 'checkout-'));
  readonly dataFolder = path.join(this.root, '.data');

  constructor() {
    chmodSync(this.root, 0o755);
    for (const name of ['apps', 'libs', 'test/jest', 'package.json'])
      cpSync(path.join(ROOT, name), path.join(this.root, name), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(this.root, 'node_modules'));
  }

  /** The process of the embedded PostgreSQL, while there is one. */
  get postgres(): number | null {
    const file = path.join(this.database ?? '', 'server/cluster/postmaster.pid');
    if (!existsSync(file)) return null;
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    return existsSync(`/proc/${pid}`) ? pid : null;
  }

  remove(): void {
    if (this.database) rmSync(this.database, { recursive: true, force: true });
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Outside the checkout, where PostgreSQL could not get through to it. */
  private get database(): string | null {
    const folder = path.join(this.dataFolder, 'postgres');
    if (!existsSync(folder)) return null;
    const elsewhere = path.join(folder, 'elsewhere');
    return realpathSync(existsSync(elsewhere) ? elsewhere : folder);
  }
}
