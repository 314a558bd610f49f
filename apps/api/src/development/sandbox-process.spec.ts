import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { startSandboxProcess } from './sandbox-process.js';

/** Speaks the child's side: what it was told comes back in its URL. */
const OBEDIENT = `
process.stdin.on('end', () => process.exit(0)).resume();
const { SANDBOX_PUSH_URL, WECHAT_TOKEN, HOME } = process.env;
process.send({ ready: true, url: [process.argv[2], SANDBOX_PUSH_URL, WECHAT_TOKEN, HOME].join(' ') + ' ' + process.pid });
`;

describe('The sandbox process', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sandbox-process-'));
  const program = path.join(folder, 'main.js');
  const credentials = { appId: 'wx1', appSecret: 'secret', token: 'token', encodingAesKey: 'key' };
  const options = { port: 0, pushUrl: 'http://127.0.0.1/push', credentials, program };
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is told where to push and with what, and nothing else of ours', async () => {
    writeFileSync(program, OBEDIENT);
    const sandbox = await startSandboxProcess(options);
    expect(sandbox.url).toMatch(/^--child http:\/\/127\.0\.0\.1\/push token {2}\d+$/);
    await sandbox.stop();
    expect(() => process.kill(Number(sandbox.url.split(' ').at(-1)), 0)).toThrow(/ESRCH/);
  });

  it('says that its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(startSandboxProcess({ ...options, port })).rejects.toThrow(new RegExp(`^Port ${port}.* is taken`));
    other.close();
  });

  it('says why it did not start', async () => {
    writeFileSync(program, "throw new Error('no such key');");
    await expect(startSandboxProcess(options)).rejects.toThrow('The sandbox did not start: Error: no such key');
  });
});
