// Needs the registry, for the tools that install and bundle.

import { join } from 'node:path';
import { root } from './packed';
import { runProgram } from './program';

const isLinuxX64 = process.platform === 'linux' && process.arch === 'x64';

(isLinuxX64 ? test : test.skip)(
  'the package loads where docs/install.md says it does, however it was installed or bundled',
  () => {
    runProgram(process.execPath, [join(root, 'scripts', 'matrix.mjs'), '--check']);
  },
  1_800_000,
);
