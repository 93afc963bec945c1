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

export function requireNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new Error(`Node.js 20 or later is needed, this is ${process.version}`);
}
