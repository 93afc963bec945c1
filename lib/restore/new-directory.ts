import { readdir, realpath } from 'node:fs/promises';
import type { Call } from '../call/call';
import { undefinedWhereMissing } from '../call/files';
import { findNotesIni, readDataDirectory } from '../domino/environment';
import { OptionError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import { directoryRisk, isInside, makeOwnDirectory, realPathToBe } from '../store/safe-directory';
import { FileCalls } from '../store/stall';

interface NewDirectory {
  readonly directory: string;
  /** Name of the option for the directory. */
  readonly option: string;
  readonly dataDirectories: readonly string[];
  readonly binding: NativeBinding;
  readonly call: Call;
}

/**
 * Makes a directory for files that are not databases of the server. It must be new or empty, so that nothing is overwritten, and
 * outside the given data directories and that of this machine's server, because a manifest may be forged.
 */
export async function makeNewDirectory({
  directory,
  option,
  dataDirectories,
  binding,
  call,
}: NewDirectory): Promise<void> {
  const calls = new FileCalls(call);
  const real = await calls.wait('realpath', directory, realPathToBe(directory));
  for (const dataDirectory of [...dataDirectories, ...ownDataDirectory()]) {
    const itsReal = await calls.wait('realpath', dataDirectory, realPathToBe(dataDirectory));
    if (!isInside(real, itsReal)) continue;
    const message = `${directory} lies in the data directory ${dataDirectory}, where nothing may be overwritten or added`;
    throw new OptionError(option, message);
  }
  const found = await calls.wait('scandir', directory, readdir(directory).catch(undefinedWhereMissing));
  if (found && found.length > 0) {
    throw new OptionError(option, `${directory} is not empty: name an empty directory`);
  }
  await calls.wait('mkdir', directory, makeOwnDirectory(directory, binding));
  const risk = realpath(directory).then((path) => directoryRisk(path, binding));
  const { refusal } = await calls.wait('stat', directory, risk);
  if (refusal !== '') throw new OptionError(option, refusal);
}

function ownDataDirectory(): string[] {
  try {
    return [readDataDirectory(findNotesIni())];
  } catch {
    return [];
  }
}
