// As much of matrix.full.test.ts as every run of the tests has time for. Needs the registry, for the tools that install and bundle.

import { join } from 'node:path';
import { root } from './packed';
import { runProgram } from './program';

const isLinuxX64 = process.platform === 'linux' && process.arch === 'x64';

(isLinuxX64 ? test : test.skip)(
  'every package manager and bundler does once what docs/install.md says',
  () => {
    runProgram(process.execPath, [join(root, 'scripts', 'matrix.mjs'), '--subset']);
  },
  600_000,
);
