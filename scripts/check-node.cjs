'use strict';
// Runs before anything else is loaded, so it must itself run on an old Node.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `This needs Node 20.19 or newer, and this is ${process.version}. Install a newer Node and run the command again.`,
  );
  process.exit(1);
}
