'use strict';

// Stands where prebuildify expects node-gyp, and builds with cmake-js. The arguments are node-gyp's and of no use here:
// a Node-API addon does not depend on a Node version.

const { spawnSync } = require('node:child_process');
const { availableParallelism } = require('node:os');
const { dirname, join } = require('node:path');

const root = dirname(__dirname);
const out = join(process.cwd(), 'build');
const cross = process.env.PREBUILD_PLATFORM === 'win32' && process.platform !== 'win32';
const options = [
  '--CDCMAKE_COMPILE_WARNING_AS_ERROR=ON',
  ...(cross ? [`--CDCMAKE_TOOLCHAIN_FILE=${join(root, 'cmake', 'mingw-w64.cmake')}`] : []),
];
const { status, error } = spawnSync(
  process.execPath,
  [join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js'), 'build', '--directory', root, '--out', out, ...options],
  { stdio: 'inherit', env: { ...process.env, CMAKE_BUILD_PARALLEL_LEVEL: String(availableParallelism()) } },
);
if (error) throw error;
process.exitCode = status ?? 1;
