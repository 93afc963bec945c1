import { lstat, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { counted } from '../errors/counted';
import { FileSystemError, toPublicError } from '../errors/errors';
import { startIfStopped, systemdService, type DominoService } from '../domino/service';
import { windowsService } from '../domino/windows-service';
import { readJournalLists } from '../store/journals';
import { isPresent } from '../store/file-identity';
import { leadsInto } from '../store/safe-directory';
import type { LeftOver } from '../store/left-over';
import type { FileCalls } from '../store/stall';
import { loadManifest, retractManifest, type Manifest } from '../store/manifest';
import { hangingItem, isHanging } from './databases';
import { endAbandonedBackups } from './backup-mode';
import type { Items } from './items';
import { removeShadows } from './shadows';
import { fileCallsOf, type RecoveryTools } from './tools';

/**
 * Cleans up after an interrupted backup. If its manifest was written, the backup is good, and only what the manifest does not
 * mention is removed.
 */
export async function recoverBackup(left: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  const calls = fileCallsOf(tools);
  const { databases, copies } = await calls.wait('read', left.journal, readJournalLists(left));
  // Users come first: start the server, then end what keeps them from their databases.
  await startService(left, tools, items);
  await endAbandonedBackups(databases, left, tools, items);
  const { backupDirectory } = left;
  if (left.hanging.length > 0) {
    items.left({ thing: 'backup', subject: backupDirectory, ...hangingItem(left) });
    return;
  }
  const finished = await readFinished(backupDirectory, calls);
  if (typeof finished === 'string') {
    const advice = `Inspect it with "domino-vss backup list"; delete the parts you do not need, then ${left.journal}.`;
    items.left({
      thing: 'backup',
      subject: backupDirectory,
      found: `its manifest cannot be used: ${finished}`,
      advice,
    });
    return;
  }
  if (finished) {
    items.kept({ thing: 'backup', subject: backupDirectory, found: `it is ${finished.outcome}` });
    if (!finished.volumes.some(({ kept }) => kept)) await removeShadows(left, tools, items);
    return;
  }
  if (!(await hasNoManifest(left, tools, items))) return;
  await removeShadows(left, tools, items);
  await removeCopies({ copies, dataDirectory: left.dataDirectory }, tools, items);
  await removeNewDirectories(left, tools, items);
  await removeDirectory(left, tools, items);
}

/**
 * Removes what the journal of a removal names, but only if the manifest is gone: while it exists, the lists in the journal may be
 * incomplete, and nothing has been removed yet.
 */
export async function removeBackup(left: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  const { backupDirectory } = left;
  if (await fileCallsOf(tools).wait('lstat', backupDirectory, hasManifest(backupDirectory))) {
    items.kept({ thing: 'backup', subject: backupDirectory, found: 'its removal had not begun' });
    return;
  }
  const { copies } = await fileCallsOf(tools).wait('read', left.journal, readJournalLists(left));
  await removeShadows(left, tools, items);
  await removeCopies({ copies, dataDirectory: left.dataDirectory }, tools, items, 'a backup that is removed');
  await removeNewDirectories(left, tools, items);
  await removeDirectory(left, tools, items, 'it is being removed');
}

/** An error does not count as gone. */
async function hasManifest(backupDirectory: string): Promise<boolean> {
  try {
    await lstat(join(backupDirectory, 'manifest.json'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** The manifest of a finished backup; undefined if the backup was not finished; a text if that cannot be determined. */
async function readFinished(backupDirectory: string, calls: FileCalls): Promise<Manifest | string | undefined> {
  if (backupDirectory === '') return undefined;
  try {
    // A manifest that cannot be accessed may belong to a good backup.
    const manifest = join(backupDirectory, 'manifest.json');
    if (!(await calls.wait('lstat', manifest, isPresent(manifest)))) return undefined;
    return await calls.wait('read', manifest, loadManifest(backupDirectory));
  } catch (error) {
    return toPublicError(error).message;
  }
}

/** Lets none appear either: a rename that has not returned would make one. */
async function hasNoManifest(left: LeftOver, { call, budgetMs }: RecoveryTools, items: Items): Promise<boolean> {
  const { backupDirectory } = left;
  // What is not its own directory stays as it is, and is reported in the end.
  if (items.dryRun || !isOwnDirectory(left)) return true;
  try {
    await retractManifest(backupDirectory, fileCallsOf({ call, budgetMs }));
    return true;
  } catch (error) {
    call.check();
    const advice = 'Run recover again.';
    items.left({ thing: 'backup', subject: backupDirectory, found: 'its manifest may still appear', advice }, error);
    return false;
  }
}

/**
 * It must be next to the journal and be named after the work: a forged or damaged journal must not remove anything else.
 */
function isOwnDirectory({ id, journal, backupDirectory }: LeftOver): boolean {
  return basename(backupDirectory) === id && dirname(backupDirectory) === dirname(dirname(journal));
}

async function startService({ stoppedService: name }: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  if (name === '') return;
  const intention = {
    thing: 'service',
    subject: name,
    found: 'it was stopped for the backup',
    action: 'it is started if it is not running',
    advice: `Start ${name}, then run recover again.`,
  } as const;
  await items.act(intention, () => {
    const service = tools.service?.name === name ? tools.service : serviceOfSystem(name, tools);
    return startIfStopped(service, tools.call);
  });
}

function serviceOfSystem(name: string, { binding }: RecoveryTools): DominoService {
  return process.platform === 'win32' ? windowsService(() => binding, name) : systemdService(name);
}

/** The journal names only copies that did not exist before the backup. */
async function removeCopies(
  { copies, dataDirectory }: { readonly copies: readonly string[]; readonly dataDirectory: string },
  tools: RecoveryTools,
  items: Items,
  of = 'an unfinished backup',
): Promise<void> {
  const calls = fileCallsOf(tools);
  const present: string[] = [];
  for (const copy of copies) {
    tools.call.check();
    if (await calls.wait('lstat', copy, isPresent(copy)).catch(() => true)) present.push(copy);
  }
  const [first] = present;
  if (first === undefined) return;
  const intention = {
    thing: 'copies',
    subject: dirname(first),
    found: `it contains ${counted(present.length, 'copy', 'copies')} of ${of}`,
    action: 'they are removed',
    advice: 'Remove them, then run recover again.',
  } as const;
  await items.act(intention, async () => {
    // A directory above them may have been replaced by a link, or a server was started on them.
    for (const directory of new Set(present.map((copy) => dirname(copy)))) {
      if (!(await calls.wait('realpath', directory, leadsInto(directory, dataDirectory)))) continue;
      const message = `${directory} leads into the data directory ${dataDirectory}: its files may be in use`;
      throw new FileSystemError('ERR_FILE_SYSTEM', { path: directory }, { message });
    }
    for (const copy of present) await calls.wait('unlink', copy, rm(copy, { force: true }));
  });
}

/** Removes only empty ones: others may be using them by now. */
export async function removeNewDirectories(left: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  if (items.dryRun) return;
  const calls = fileCallsOf(tools);
  for (const directory of [...left.newDirectories].reverse()) {
    tools.call.check();
    if (isHanging(directory, left)) {
      items.left({ thing: 'temporary-file', subject: directory, ...hangingItem(left) });
      continue;
    }
    await calls.wait('rmdir', directory, rmdir(directory)).catch(() => undefined);
  }
}

/** If it cannot be accessed, it may exist. */
function isThere(directory: string, tools: Pick<RecoveryTools, 'call' | 'budgetMs'>): Promise<boolean> {
  return fileCallsOf(tools)
    .wait('lstat', directory, isPresent(directory))
    .catch(() => true);
}

async function removeDirectory(
  left: LeftOver,
  { binding, call, budgetMs }: RecoveryTools,
  items: Items,
  found = 'it was not finished',
): Promise<void> {
  const { id, backupDirectory } = left;
  // If it cannot be accessed, it may exist; the removal then reports the error.
  if (backupDirectory === '' || !(await isThere(backupDirectory, { call, budgetMs }))) return;
  const intention = {
    thing: 'backup',
    subject: backupDirectory,
    found,
    action: 'its directory is removed',
    advice: 'Remove the directory, then run recover again.',
  } as const;
  await items.act(intention, async () => {
    if (!isOwnDirectory(left)) {
      const message = `${backupDirectory} is not the directory of ${id}`;
      throw new FileSystemError('ERR_FILE_SYSTEM', { path: backupDirectory }, { message });
    }
    // An abort waits for the end of the removal, so that it is known what is gone.
    const bound = { budgetMs, graceMs: budgetMs, operation: 'unlink', subject: backupDirectory };
    await call.bounded(binding.removeTree(backupDirectory), bound);
  });
}
