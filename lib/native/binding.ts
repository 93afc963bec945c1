import { join } from 'node:path';
import { DominoVssError } from '../errors/errors';
import type { NativeBinding } from './session';
import { packageRoot } from './package-root';

let loaded: NativeBinding | undefined;

/** Loads the native addon, at the first call that needs it: importing the package works on every system. */
export function loadBinding(): NativeBinding {
  loaded ??= load();
  return loaded;
}

function load(): NativeBinding {
  const target = `${process.platform}-${process.arch}`;
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded when needed, not when imported
    const nodeGypBuild = require('node-gyp-build') as (directory: string) => unknown;
    return nodeGypBuild(packageRoot) as NativeBinding;
  } catch (cause) {
    const tried = [join(packageRoot, 'build', 'Release'), join(packageRoot, 'prebuilds', target)];
    const reason = (cause as Error).message.split('\n')[0] ?? '';
    throw new DominoVssError('ERR_NATIVE_LOAD', {
      message: `the native addon for ${target} could not be loaded from ${tried.join(' or ')}: ${reason}`,
      cause,
    });
  }
}
