// Makes prebuilds/<platform>-<arch>/ in the layout node-gyp-build looks for.
//
//   node scripts/prebuilds.mjs [target …]     targets: linux-x64, win32-x64; without one that of this machine

import { root, setUpOrExit } from './setup.mjs';
import { prebuild } from './setup/prebuild.mjs';

await setUpOrExit(['dependencies']);
const targets = process.argv.slice(2);
for (const target of targets.length > 0 ? targets : [`${process.platform}-${process.arch}`]) {
  await prebuild(root, target);
  console.error(`prebuilds/${target} is made`);
}
