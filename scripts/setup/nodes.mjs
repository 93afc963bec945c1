import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

const packages = JSON.parse(readFileSync(new URL('nodes.json', import.meta.url), 'utf8'));

/** The versions of Node.js for a platform that are tested with, for example `20` → `20.20.2`. */
export function nodeVersions(platform) {
  return new Map(packages[platform].versions.map(({ version }) => [version.split('.')[0], version]));
}

/**
 * Makes sure that the program of one of these versions is in `directory/node-<version>` and answers it. It is no
 * dependency: nothing ships it.
 */
export async function fetchNode(platform, version, directory) {
  const { package: packageName, program, versions } = packages[platform];
  const { integrity } = versions.find((known) => known.version === version);
  const file = join(directory, `node-${version}`, program);
  if (existsSync(file)) return file;

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
  return file;
}
