import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './program';

export const root = join(__dirname, '..', '..', '..');

export interface Tarball {
  readonly path: string;
  readonly sizeBytes: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'domino-vss-package-'));
}

/** An environment without the user's settings and caches, and without access to a registry. */
export function emptyHome(home: string): NodeJS.ProcessEnv {
  return { HOME: home, PATH: process.env['PATH'], npm_config_offline: 'true', npm_config_cache: join(home, 'cache') };
}

/** Makes the prebuilt binary and packs the package as `npm publish` would. */
export function packWithPrebuild(destination: string): Tarball {
  runProgram(process.execPath, [join(root, 'scripts', 'prebuilds.mjs')]);
  const [tarball] = pack(destination, [root]);
  if (tarball === undefined) throw new Error('npm pack made nothing');
  return tarball;
}

/** Packs the runtime dependencies as they are installed here. @returns the tarballs, by name */
export function packDependencies(destination: string): Map<string, string> {
  const listed = npm(['ls', '--omit=dev', '--all', '--parseable', '--workspaces=false'], root).trim().split('\n');
  const directories = listed.filter((directory) => directory.includes('node_modules'));
  const packed = pack(destination, directories);
  return new Map(packed.map(({ name, path }) => [name, path]));
}

export function npm(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): string {
  return runProgram('npm', args, { cwd, env });
}

export function pack(destination: string, directories: readonly string[]): (Tarball & { name: string })[] {
  const report = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', destination, ...directories], root);
  const entries = JSON.parse(report) as { name: string; filename: string; size: number; files: Tarball['files'] }[];
  return entries.map(({ name, filename, size, files }) => ({
    name,
    path: join(destination, filename.replace(/^@/, '').replaceAll('/', '-')),
    sizeBytes: size,
    files,
  }));
}
