import { readdir, realpath } from 'node:fs/promises';
import { undefinedWhereMissing } from '../call/files';
import { findNotesIni, readDataDirectory } from '../domino/environment';
import { OptionError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import { directoryRisk, isInside, makeOwnDirectory, realPathToBe } from '../store/safe-directory';

/**
 * Makes a directory for what is no database of the server. It has to be new or empty, so that nothing is overwritten, and no part of a
 * data directory: neither of those that are named nor of the server's on this machine, for a manifest may be forged. `option` is the
 * one that names it.
 */
export async function makeNewDirectory(
  directory: string,
  option: string,
  dataDirectories: readonly string[],
  binding: NativeBinding,
): Promise<void> {
  const real = await realPathToBe(directory);
  for (const dataDirectory of [...dataDirectories, ...ownDataDirectory()]) {
    if (!isInside(real, await realPathToBe(dataDirectory))) continue;
    const message = `${directory} lies in the data directory ${dataDirectory}, where nothing is overwritten or added`;
    throw new OptionError(option, message);
  }
  const found = await readdir(directory).catch(undefinedWhereMissing);
  if (found && found.length > 0) {
    throw new OptionError(option, `${directory} is not empty: name a directory that is`);
  }
  await makeOwnDirectory(directory, binding);
  const { refusal } = await directoryRisk(await realpath(directory), binding);
  if (refusal !== '') throw new OptionError(option, refusal);
}

function ownDataDirectory(): string[] {
  try {
    return [readDataDirectory(findNotesIni())];
  } catch {
    return [];
  }
}
