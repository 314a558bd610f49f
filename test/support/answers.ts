import { spawnSync } from 'node:child_process';

const PROBE = `const s = require('node:net').connect({ host: process.argv[1], port: Number(process.argv[2]) });
s.setTimeout(500, () => process.exit(1)).on('connect', () => process.exit(0)).on('error', () => process.exit(1));`;

/** Whether a server listens there, found out at once: jest must know while it reads a file whether to skip its tests. */
export function answers(url: string): boolean {
  const { hostname, port } = new URL(url);
  return spawnSync(process.execPath, ['-e', PROBE, hostname, port]).status === 0;
}
