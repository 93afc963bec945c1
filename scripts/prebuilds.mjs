import { root, setUpOrExit } from './setup.mjs';
import { exitCodeOfInterrupt, interrupted } from './setup/interrupt.mjs';
import { parseOptions } from './setup/options.mjs';
import { prebuild } from './setup/prebuild.mjs';

const usage = `Usage: npm run prebuilds [-- target …]

Makes prebuilds/<target> in the layout node-gyp-build looks for. Targets: linux-x64, win32-x64; without one that of this machine.`;
const { positionals: targets } = parseOptions(usage, { allowPositionals: true });
await setUpOrExit(['dependencies']);
try {
  for (const target of targets.length > 0 ? targets : [`${process.platform}-${process.arch}`]) {
    await prebuild(root, target);
    console.error(`prebuilds/${target} is made`);
  }
} catch (error) {
  console.error(interrupted() ? 'interrupted' : error.message);
  process.exitCode = interrupted() ? exitCodeOfInterrupt : 1;
}
