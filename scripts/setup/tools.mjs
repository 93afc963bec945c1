import { spawnSync } from 'node:child_process';

/** What building needs beside Node, and where Debian keeps it. */
const tools = {
  'g++': { command: process.env.CXX ?? 'g++', package: 'g++' },
  cmake: { command: 'cmake', package: 'cmake' },
  make: { command: 'make', package: 'make' },
};

/** Fails with one message that names everything missing and how to install it. */
export function requireBuildTools() {
  if (process.platform === 'win32') return; // cmake-js finds Visual Studio itself and says so when there is none
  const missing = Object.values(tools).filter(({ command }) => spawnSync(command, ['--version']).error !== undefined);
  if (missing.length === 0) return;
  throw new Error(
    `missing: ${missing.map(({ command }) => command).join(', ')}. ` +
      `On Debian or Ubuntu: sudo apt-get install ${missing.map((tool) => tool.package).join(' ')}`,
  );
}

/** The package itself runs on every Node.js 20; eslint asks for a later one. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(`Node.js 20.19 or later is needed for development, this is ${process.version}`);
}
