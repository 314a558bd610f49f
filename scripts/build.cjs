'use strict';
// Builds into dist/ while a server may be running from it: every file is written anew, and only then what is left over from before goes.
const { execSync } = require('node:child_process');
const { readdirSync, rmSync, statSync } = require('node:fs');
const path = require('node:path');

const dist = path.resolve(__dirname, '../dist');
const startedAt = Date.now();

try {
  for (const step of ['nest build api', 'nest build sandbox', 'npm run --silent build:console'])
    execSync(step, { stdio: 'inherit', cwd: path.dirname(dist) });
} catch (error) {
  process.exit(error.status || 1);
}

// File systems may keep whole seconds only.
const isLeftOver = (file) => statSync(file).mtimeMs < startedAt - 1_000;
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const file = path.join(entry.parentPath ?? entry.path, entry.name);
  if (entry.isFile() && isLeftOver(file)) rmSync(file, { force: true });
}
