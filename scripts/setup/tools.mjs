import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What building needs beside Node, and where Debian keeps it. */
const tools = {
  'g++': { command: process.env.CXX ?? 'g++', package: 'g++' },
  cmake: { command: 'cmake', package: 'cmake' },
  make: { command: 'make', package: 'make' },
};

/** Fails with one message that names everything missing and how to install it. */
export function requireBuildTools() {
  if (process.platform === 'win32') return; // cmake-js finds Visual Studio itself and says so when there is none
  requireTools(Object.values(tools));
}

/** The same for the cross-compiler. */
export function requireWindowsCompiler() {
  requireTools([
    tools.cmake,
    tools.make,
    { command: 'x86_64-w64-mingw32-g++-posix', package: 'g++-mingw-w64-x86-64-posix' },
  ]);
}

function requireTools(needed) {
  const missing = needed.filter(({ command }) => spawnSync(command, ['--version']).error !== undefined);
  if (missing.length === 0) return;
  throw new Error(
    `missing: ${missing.map(({ command }) => command).join(', ')}. ` +
      `On Debian or Ubuntu: sudo apt-get install ${missing.map((tool) => tool.package).join(' ')}`,
  );
}

/** Where distributions put 64-bit Wine; the programs beside it are found from there. */
const wineDirectories = ['/usr/lib/wine', '/opt/wine-stable/bin', '/usr/bin'];

/** The directory of `wine64` and `wineserver`. */
export function findWine() {
  const found = wineDirectories.find((directory) => existsSync(`${directory}/wine64`));
  if (found !== undefined) return found;
  throw new Error('missing: wine64. On Debian or Ubuntu: sudo apt-get install wine64');
}

/** The package itself runs on every Node.js 20; eslint asks for a later one. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(`Node.js 20.19 or later is needed for development, this is ${process.version}`);
}
