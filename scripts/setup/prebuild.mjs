import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requireWindowsCompiler } from './tools.mjs';

const here = `${process.platform}-${process.arch}`;

/** Makes prebuilds/<target>/ with prebuildify. On Linux win32-x64 is cross-compiled. */
export async function prebuild(root, target = here) {
  const [platform, arch] = target.split('-');
  if (target !== here) {
    if (target !== 'win32-x64' || process.platform !== 'linux') throw new Error(`${target} cannot be built on ${here}`);
    requireWindowsCompiler();
  }
  // prebuildify copies every shared library it finds in build/Release: it gets a directory that holds nothing else.
  const staging = join(root, 'build', 'prebuild', target);
  mkdirSync(staging, { recursive: true });
  rmSync(join(root, 'prebuilds', target), { recursive: true, force: true });

  // Loaded here, for it is not installed yet when the set-up begins.
  const prebuildify = promisify(createRequire(import.meta.url)('prebuildify'));
  await prebuildify({
    name: 'domino-vss',
    cwd: staging,
    out: root,
    platform,
    arch,
    targets: [process.versions.node], // Node-API: one binary for all versions
    napi: true,
    tagLibc: platform === 'linux',
    strip: platform === 'linux', // for Windows the linker does it
    nodeGyp: `"${process.execPath}" "${join(root, 'scripts', 'prebuildify-backend.js')}"`,
    shell: true,
  });
}
