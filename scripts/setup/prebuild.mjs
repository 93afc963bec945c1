import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.mjs';
import { requireWindowsCompiler } from './tools.mjs';

const here = `${process.platform}-${process.arch}`;

/** Makes prebuilds/<target>/ with prebuildify. On Linux win32-x64 is cross-compiled. */
export async function prebuild(root, target = here) {
  if (target !== here) {
    if (target !== 'win32-x64' || process.platform !== 'linux') throw new Error(`${target} cannot be built on ${here}`);
    requireWindowsCompiler();
  }
  // prebuildify copies every shared library it finds in build/Release: it gets a directory that holds nothing else.
  const staging = join(root, 'build', 'prebuild', target);
  mkdirSync(staging, { recursive: true });
  await withLock(
    staging,
    () => console.error(`waiting for another build of prebuilds/${target} to end`),
    () => build({ root, target, staging }),
  );
}

async function build({ root, target, staging }) {
  const [platform, arch] = target.split('-');
  const [made, published] = [join(staging, 'prebuilds', target), join(root, 'prebuilds', target)];
  rmSync(made, { recursive: true, force: true });
  // Loaded here, for it is not installed yet when the set-up begins.
  const prebuildify = promisify(createRequire(import.meta.url)('prebuildify'));
  await prebuildify({
    name: 'domino-vss',
    cwd: staging,
    out: staging,
    platform,
    arch,
    targets: [process.versions.node], // Node-API: one binary for all versions
    napi: true,
    tagLibc: platform === 'linux',
    strip: platform === 'linux', // for Windows the linker does it
    nodeGyp: `"${process.execPath}" "${join(root, 'scripts', 'prebuildify-backend.js')}"`,
    shell: true,
  });
  // One by one: another process may be packing the binaries at this moment.
  mkdirSync(published, { recursive: true });
  const names = readdirSync(made);
  for (const name of names) renameSync(join(made, name), join(published, name));
  const others = readdirSync(published).filter((name) => !names.includes(name));
  for (const name of others) rmSync(join(published, name));
}
