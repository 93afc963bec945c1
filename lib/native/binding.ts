import { join } from 'node:path';
import type { NativeFailure } from './failure';
import type { NativeBinding } from './session';
import { packageRoot } from './package-root';

let loaded: NativeBinding | undefined;

/** Loads the native addon, at the first call that needs it: importing the package works on every system. Throws a {@link NativeFailure}. */
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
  } catch (error) {
    const tried = [join(packageRoot, 'build', 'Release'), join(packageRoot, 'prebuilds', target)];
    const reason = (error as Error).message.split('\n')[0] ?? '';
    const failure: NativeFailure = {
      code: 'ERR_NATIVE_LOAD',
      phase: 'runtime',
      operation: '',
      domain: 'engine',
      status: 0,
      statusName: '',
      text: `the native addon for ${target} could not be loaded from ${tried.join(' or ')}: ${reason}`,
      subject: '',
    };
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- what this wing throws are records; the callers make errors of them
    throw failure;
  }
}
