'use strict';

// Stands where prebuildify expects node-gyp, and builds with cmake-js. The arguments are node-gyp's and of no use here:
// a Node-API addon does not depend on a Node version.

const { spawnSync } = require('node:child_process');
const { availableParallelism } = require('node:os');
const { dirname, join } = require('node:path');

const root = dirname(__dirname);
const out = join(process.cwd(), 'build');
const { status, error } = spawnSync(
  process.execPath,
  [join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js'), 'build', '--directory', root, '--out', out],
  { stdio: 'inherit', env: { ...process.env, CMAKE_BUILD_PARALLEL_LEVEL: String(availableParallelism()) } },
);
if (error) throw error;
process.exitCode = status ?? 1;
