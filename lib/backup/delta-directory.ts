import { access, constants, realpath } from 'node:fs/promises';
import type { Call } from '../call/call';
import type { BackupDatabases } from '../domino/databases';
import { DominoVssError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import type { NativeBinding } from '../native/session';
import { journalDirectory } from '../store/journals';
import { directoryRisk, isInside, makeOwnDirectory, realPathToBe } from '../store/safe-directory';

/** Creates the delta directory and that of its journals, if they are missing. Throws if they cannot be used or are not safe. */
export async function makeDeltaDirectory(
  binding: NativeBinding,
  directory: string,
  dataDirectory: string,
): Promise<{ readonly deltaDirectory: string; readonly warning: Warning | undefined }> {
  const refuse = (why: string): never => {
    const message = `the delta directory ${directory} cannot be used: ${why}`;
    throw new DominoVssError('ERR_DELTA_DIRECTORY', { message });
  };
  try {
    const deltaDirectory = await realPathToBe(directory);
    // The server's replication and compaction would treat our files as its own.
    if (dataDirectory !== '' && isInside(deltaDirectory, await realpath(dataDirectory))) {
      refuse(`it is inside the data directory ${dataDirectory}`);
    }
    await makeOwnDirectory(deltaDirectory, binding);
    await access(directory, constants.W_OK | constants.X_OK);
    const { refusal, warning } = await directoryRisk(deltaDirectory, binding);
    if (refusal !== '') refuse(refusal);
    const journals = journalDirectory(deltaDirectory);
    await makeOwnDirectory(journals, binding);
    const risk = await directoryRisk(journals, binding);
    if (risk.refusal !== '') refuse(risk.refusal);
    return { deltaDirectory, warning };
  } catch (cause) {
    if (cause instanceof DominoVssError) throw cause;
    const message = `the delta directory ${directory} cannot be used: ${(cause as Error).message}`;
    throw new DominoVssError('ERR_DELTA_DIRECTORY', { message, cause });
  }
}

/** Warns if the delta directory is on a volume of the snapshot. */
export async function deltaDirectoryWarnings(
  binding: NativeBinding,
  deltaDirectory: string,
  databases: BackupDatabases,
  call: Call,
): Promise<Warning[]> {
  const { path } = await call.race(binding.inspectVolume(deltaDirectory));
  if (!databases.volumes.some((volume) => volume.path === path)) return [];
  const message =
    `the delta directory ${deltaDirectory} is on ${path}, a volume that is part of the snapshot: ` +
    'if that volume is lost, so are the deltas; save them elsewhere';
  return [warning('WARN_DELTA_VOLUME', message, { subjects: [deltaDirectory] })];
}
