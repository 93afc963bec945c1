import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

const { package: packageName, versions } = JSON.parse(
  readFileSync(new URL('windows-node.json', import.meta.url), 'utf8'),
);

/** The versions of Node.js for Windows that are tested with, for example `20` → `20.20.2`. */
export const windowsNodeVersions = new Map(versions.map(({ version }) => [version.split('.')[0], version]));

/** Makes sure that `directory/node-<version>/node.exe` is there and answers it. It is no dependency: nothing ships it. */
export async function fetchWindowsNode(directory, version) {
  const { integrity } = versions.find((known) => known.version === version);
  const program = join(directory, `node-${version}`, 'node.exe');
  if (existsSync(program)) return program;

  mkdirSync(directory, { recursive: true });
  const work = mkdtempSync(join(directory, 'fetch-'));
  try {
    await run('npm', ['pack', `${packageName}@${version}`, '--pack-destination', work, '--silent'], { cwd: work });
    const tarball = join(work, `${packageName}-${version}.tgz`);
    const hash = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
    if (hash !== integrity) throw new Error(`${packageName}@${version} is not what it was: ${hash}`);
    await run('tar', ['-xzf', tarball, '-C', work]);
    // Renamed last: an interrupted fetch leaves nothing that looks complete.
    renameSync(join(work, 'package', 'bin'), join(directory, `node-${version}`));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}
