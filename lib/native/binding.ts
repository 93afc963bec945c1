import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { NativeFailure } from './failure';
import type { NativeBinding } from './session';
import { packageRoot } from './package-root';

/** The systems that have a binary in the package. */
export const supportedSystems = 'Linux x64 with glibc 2.28 or later, and Windows x64';

/** Names the file of the addon if it is not in its usual place, as in a bundle. */
export const addonVariable = 'DOMINO_VSS_ADDON';

let loaded: NativeBinding | undefined;

/**
 * Loads the native addon at the first call that needs it, so the package can be imported on every system. Throws a
 * {@link NativeFailure}.
 */
export function loadBinding(): NativeBinding {
  loaded ??= load();
  return loaded;
}

/** Names the file of the addon for this process and the processes it starts. Returns false if the addon is already loaded. */
export function nameAddon(file: string): boolean {
  if (loaded !== undefined) return false;
  process.env[addonVariable] = file;
  return true;
}

function load(): NativeBinding {
  const named = process.env[addonVariable] ?? '';
  try {
    if (named !== '') return loadFile(named);
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded when needed, not when imported
    const nodeGypBuild = require('node-gyp-build') as { path(directory: string): string };
    return loadFile(nodeGypBuild.path(packageRoot));
  } catch (error) {
    const target = `${process.platform}-${process.arch}`;
    const usual = [join(packageRoot, 'build', 'Release'), join(packageRoot, 'prebuilds', target)].join(' or ');
    const from = named === '' ? usual : `${named} (${addonVariable})`;
    const reason = (error as Error).message.split('\n')[0] ?? '';
    // What node-gyp-build says when it finds nothing repeats the system, and helps nobody.
    const isMissing = named === '' && reason.startsWith('No native build was found');
    const what = isMissing ? `there is no addon for this system in ${usual}` : `${from} cannot be loaded: ${reason}`;
    const failure: NativeFailure = {
      code: 'ERR_NATIVE_LOAD',
      phase: 'runtime',
      operation: '',
      domain: 'engine',
      status: 0,
      statusName: '',
      text: `${what}. There are binaries for ${supportedSystems}; this is ${target}${libraryText()}`,
      subject: '',
    };
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- this wing throws records; its callers convert them to errors
    throw failure;
  }
}

/** The C library that decides which binary fits, as node-gyp-build sees it: the variable LIBC is believed. */
function libraryText(): string {
  if (process.platform !== 'linux') return '';
  const { header } = process.report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: string } };
  const version = header?.glibcVersionRuntime;
  const found = version === undefined ? 'musl' : `glibc ${version}`;
  const named = process.env['LIBC'] ?? '';
  return ` with ${named === '' || found.startsWith(named) ? found : `${named} (LIBC)`}`;
}

/** Without `require`, which bundlers replace and single executables lack. */
function loadFile(file: string): NativeBinding {
  if (!isAbsolute(file)) throw new Error('the path is not absolute');
  const module = { exports: {} };
  process.dlopen(module, outsideArchive(file));
  return module.exports as NativeBinding;
}

/**
 * Electron keeps a program in an archive, `app.asar`, from which the system cannot load a library. A file that was excluded from
 * packing still has its path in the archive, but lies in `app.asar.unpacked`.
 */
function outsideArchive(file: string): string {
  const unpacked = file.replace(/\.asar(?=[\\/])/, '.asar.unpacked');
  return existsSync(unpacked) ? unpacked : file;
}
