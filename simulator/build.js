#!/usr/bin/env node
// The command of the package: `npx domino-vss-simulator build`. Nothing is built at installation, because npm may be configured not to run scripts.

'use strict';

const { spawnSync } = require('node:child_process');
const { availableParallelism } = require('node:os');
const path = require('node:path');

const usage = `Usage: domino-vss-simulator build

Builds the stand-in for Domino where this package lies, with cmake 3.18, make and g++ 12, or later ones. Takes some minutes.`;

function cmake(args) {
  const { error, status } = spawnSync('cmake', args, { stdio: 'inherit' });
  if (error) throw new Error(`cmake cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`cmake ${args[0]} ended with ${status}`);
}

function main([command, ...rest]) {
  if (command !== 'build' || rest.length > 0) {
    console.error(usage);
    return command === '--help' ? 0 : 2;
  }
  if (process.platform !== 'linux') {
    console.error(
      'only Linux is built for here; the stand-in for Windows is cross-compiled, in a clone of the repository',
    );
    return 1;
  }
  const build = path.join(__dirname, 'build');
  try {
    cmake(['-S', __dirname, '-B', build, '-DCMAKE_BUILD_TYPE=Release']);
    cmake(['--build', build, '--parallel', String(availableParallelism())]);
    return 0;
  } catch (error) {
    console.error(error.message);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
