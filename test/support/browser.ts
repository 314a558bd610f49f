import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The Chromium of this machine: `CHROMIUM_PATH`, else where distributions put it; null where there is none. */
export const CHROMIUM = [process.env.CHROMIUM_PATH, ...CANDIDATES].find((path) => path && existsSync(path)) ?? null;

/** `describe` where a browser is there; elsewhere the tests are listed as skipped, and the name says why. */
export function describeWithBrowser(name: string, tests: () => void): void {
  if (CHROMIUM) describe(name, tests);
  else describe.skip(`${name} (skipped: no Chromium found, see CHROMIUM_PATH)`, tests);
}

/** Starts it without a window. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM!, args: ARGUMENTS });
}
