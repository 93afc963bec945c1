// Makes prebuilds/<platform>-<arch>/ for this machine with prebuildify, in the layout node-gyp-build looks for.

import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root, setUpOrExit } from './setup.mjs';

const prebuildify = promisify(createRequire(import.meta.url)('prebuildify'));

await setUpOrExit(['dependencies']);
const target = `${process.platform}-${process.arch}`;

// prebuildify copies every shared library it finds in build/Release: it gets a directory that holds nothing else.
const staging = join(root, 'build', 'prebuild', target);
mkdirSync(staging, { recursive: true });
rmSync(join(root, 'prebuilds', target), { recursive: true, force: true });

await prebuildify({
  name: 'domino-vss',
  cwd: staging,
  out: root,
  targets: [process.versions.node], // Node-API: one binary for all versions
  napi: true,
  tagLibc: process.platform === 'linux',
  strip: process.platform === 'linux',
  nodeGyp: `"${process.execPath}" "${join(root, 'scripts', 'prebuildify-backend.js')}"`,
  shell: true,
});
console.error(`prebuilds/${target} is made`);
