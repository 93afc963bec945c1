import { root, setUpOrExit } from './setup.mjs';
import { parseOptions } from './setup/options.mjs';
import { prebuild } from './setup/prebuild.mjs';

const usage = `Usage: npm run prebuilds [-- target …]

Makes prebuilds/<target> in the layout node-gyp-build looks for. Targets: linux-x64, win32-x64; without one that of this machine.`;
const { positionals: targets } = parseOptions(usage, { allowPositionals: true });
await setUpOrExit(['dependencies']);
for (const target of targets.length > 0 ? targets : [`${process.platform}-${process.arch}`]) {
  await prebuild(root, target);
  console.error(`prebuilds/${target} is made`);
}
