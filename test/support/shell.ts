import { execFile } from 'node:child_process';

/** Runs a sample `curl` command as a reader would; rejects with what it printed when the answer is an error. */
export function shell(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', `${command} --silent --fail-with-body`], (error, stdout, stderr) => {
      if (error) reject(new Error(`${command}: ${stdout}${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}
