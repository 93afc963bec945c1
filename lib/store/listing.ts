import { Call, publicCall } from '../call/call';
import { abortSignal, absolutePath, checkOptions, milliseconds } from '../call/options';
import { AbortError } from '../errors/errors';
import { readBackups, type ListedBackup } from './backups';
import { databasesOf, loadManifest, type Manifest } from './manifest';
import { FileCalls } from './stall';

/** Options of `readManifest` and `listBackups`. */
export interface ReadBackupsOptions {
  /** Default: 10 minutes. A single call of the file system may take 60 seconds of it. */
  readonly timeoutMs?: number | undefined;
  /** Also ends the reading of {@link Manifest.databases}. */
  readonly signal?: AbortSignal | undefined;
}

export function readManifest(path: string, options: ReadBackupsOptions = {}): Promise<Manifest> {
  return reading(path, 'path', options, async (calls) =>
    withLimit(await calls.wait('read', path, loadManifest(path)), options),
  );
}

export function listBackups(deltaDirectory: string, options: ReadBackupsOptions = {}): Promise<ListedBackup[]> {
  return reading(deltaDirectory, 'deltaDirectory', options, async (calls) => {
    const backups = await readBackups(deltaDirectory, calls);
    return backups.map((one) => ('manifest' in one ? { ...one, manifest: withLimit(one.manifest, options) } : one));
  });
}

function reading<T>(
  path: string,
  name: string,
  options: ReadBackupsOptions,
  read: (calls: FileCalls) => Promise<T>,
): Promise<T> {
  return publicCall(() => {
    absolutePath(path, name);
    checkOptions(options, { timeoutMs: milliseconds, signal: abortSignal });
    const { signal, timeoutMs = 600_000 } = options;
    return read(new FileCalls(new Call({ signal, timeoutMs, phase: 'find' })));
  });
}

/** The caller decides how long it takes between two databases: only the calls of the file system are limited. */
function withLimit(manifest: Manifest, { signal }: ReadBackupsOptions): Manifest {
  const check = (): void => {
    if (signal?.aborted) throw new AbortError(signal.reason, 'find');
  };
  return { ...manifest, databases: () => databasesOf(manifest, new FileCalls({ check })) };
}
