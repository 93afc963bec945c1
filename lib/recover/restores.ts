import { rm } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { FileSystemError } from '../errors/errors';
import { isPresent } from '../store/file-identity';
import type { LeftOver } from '../store/left-over';
import { removeNewDirectories } from './backups';
import { copySuffix, originalSuffix, placeOf } from '../store/restored-files';
import { hangingItem, isHanging, recoverDatabases } from './databases';
import type { Items } from './items';
import type { FileCalls } from '../store/stall';
import { fileCallsOf, type RecoveryTools } from './tools';

/** Cleans up after an interrupted restore. */
export async function recoverRestore(left: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  await recoverDatabases(left, tools, items);
  const calls = fileCallsOf(tools);
  for (const file of left.temporaryFiles) {
    if (isHanging(placeOf(file), left)) items.left({ thing: 'temporary-file', subject: file, ...hangingItem(left) });
    else await removeTemporary(file, calls, items);
  }
  await removeNewDirectories(left, tools, items);
}

/** Name of the directory of a drill in the data directory. The whole directory is removed, so it must be ours. */
export const drillDirectory = (id: string): string => `domino-vss-drill-${id}`;

/** Removes what an interrupted drill has restored. */
export async function removeDrilled(
  left: LeftOver,
  { binding, call, budgetMs }: RecoveryTools,
  items: Items,
): Promise<void> {
  const calls = fileCallsOf({ call, budgetMs });
  for (const directory of left.temporaryFiles) {
    if (left.hanging.length > 0) {
      items.left({ thing: 'temporary-file', subject: directory, ...hangingItem(left) });
      continue;
    }
    if (!(await mayBeThere(directory, calls))) continue;
    const intention = {
      thing: 'temporary-file',
      subject: directory,
      found: 'a drill has restored databases there',
      action: 'it is removed',
      advice: 'Remove it, then run recover again.',
    } as const;
    await items.act(intention, async () => {
      if (
        basename(directory) !== drillDirectory(left.id) ||
        resolve(dirname(directory)) !== resolve(left.dataDirectory)
      ) {
        const message = `${directory} is not the directory of the drill ${left.id}`;
        throw new FileSystemError('ERR_FILE_SYSTEM', { path: directory }, { message });
      }
      await call.bounded(binding.removeTree(directory), { budgetMs, operation: 'unlink', subject: directory });
    });
  }
}

async function removeTemporary(file: string, calls: FileCalls, items: Items): Promise<void> {
  if (!(await mayBeThere(file, calls))) return;
  const isOriginal = file.endsWith(originalSuffix);
  const found = isOriginal ? 'it was replaced by the restored database' : 'it is a copy that a restore was preparing';
  const advice = 'Remove it, then run recover again.';
  await items.act({ thing: 'temporary-file', subject: file, found, action: 'it is removed', advice }, async () => {
    if (!isOriginal && !file.endsWith(copySuffix)) {
      const message = `${file} does not look like a file of a restore`;
      throw new FileSystemError('ERR_FILE_SYSTEM', { path: file }, { message });
    }
    if (isOriginal && !(await calls.wait('lstat', file, isPresent(placeOf(file))))) {
      const message = 'there is no database at its place: this file may be the only copy';
      throw new FileSystemError('ERR_FILE_SYSTEM', { path: file }, { message });
    }
    await calls.wait('unlink', file, rm(file, { force: true }));
  });
}

/** If it cannot be accessed, it may exist; the removal then reports the error. */
function mayBeThere(file: string, calls: FileCalls): Promise<boolean> {
  return calls.wait('lstat', file, isPresent(file)).catch(() => true);
}
