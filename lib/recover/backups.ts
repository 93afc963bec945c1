import { lstat, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { counted } from '../errors/counted';
import { FileSystemError, toPublicError } from '../errors/errors';
import { systemdService, type DominoService } from '../domino/service';
import { windowsService } from '../domino/windows-service';
import { readJournalLists } from '../store/journals';
import { isPresent } from '../store/file-identity';
import type { LeftOver } from '../store/left-over';
import { loadManifest, type Manifest } from '../store/manifest';
import { endAbandonedBackups } from './backup-mode';
import type { Items } from './items';
import { removeShadows } from './shadows';
import type { RecoveryTools } from './tools';

/**
 * Cleans up after an interrupted backup. If its manifest was written, the backup is good, and only what the manifest does not
 * mention is removed.
 */
export async function recoverBackup(left: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  const { databases, copies } = await readJournalLists(left);
  // Users come first: start the server, then end what keeps them from their databases.
  await startService(left, tools, items);
  await endAbandonedBackups(databases, tools, items);
  const { backupDirectory } = left;
  const finished = await readFinished(backupDirectory);
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
  await removeShadows(left, tools, items);
  await removeCopies(copies, items);
  await removeNewDirectories(left, items);
  await removeDirectory(left, tools, items);
}

/**
 * Removes what the journal of a removal names, but only if the manifest is gone: while it exists, the lists in the journal may be
 * incomplete, and nothing has been removed yet.
 */
export async function removeBackup(left: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  const { backupDirectory } = left;
  if (await hasManifest(backupDirectory)) {
    items.kept({ thing: 'backup', subject: backupDirectory, found: 'its removal had not begun' });
    return;
  }
  const { copies } = await readJournalLists(left);
  await removeShadows(left, tools, items);
  await removeCopies(copies, items, 'a backup that is removed');
  await removeNewDirectories(left, items);
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
async function readFinished(backupDirectory: string): Promise<Manifest | string | undefined> {
  if (backupDirectory === '') return undefined;
  try {
    // A manifest that cannot be accessed may belong to a good backup.
    if (!(await isPresent(join(backupDirectory, 'manifest.json')))) return undefined;
    return await loadManifest(backupDirectory);
  } catch (error) {
    return toPublicError(error).message;
  }
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
  await items.act(intention, async () => {
    const service = tools.service?.name === name ? tools.service : serviceOfSystem(name, tools);
    const isRunning = await tools.call.interruptible((signal) => service.isRunning({ signal }));
    if (!isRunning) await service.start();
  });
}

function serviceOfSystem(name: string, { binding }: RecoveryTools): DominoService {
  return process.platform === 'win32' ? windowsService(() => binding, name) : systemdService(name);
}

/** The journal names only copies that did not exist before the backup. */
async function removeCopies(copies: readonly string[], items: Items, of = 'an unfinished backup'): Promise<void> {
  const present: string[] = [];
  for (const copy of copies) if (await isPresent(copy).catch(() => true)) present.push(copy);
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
    for (const copy of present) await rm(copy, { force: true });
  });
}

/** Removes only empty ones: others may be using them by now. */
export async function removeNewDirectories({ newDirectories }: LeftOver, items: Items): Promise<void> {
  if (items.dryRun) return;
  for (const directory of [...newDirectories].reverse()) await rmdir(directory).catch(() => undefined);
}

async function removeDirectory(
  { id, journal, backupDirectory }: LeftOver,
  { binding, call, budgetMs }: RecoveryTools,
  items: Items,
  found = 'it was not finished',
): Promise<void> {
  // If it cannot be accessed, it may exist; the removal then reports the error.
  if (backupDirectory === '' || !(await isPresent(backupDirectory).catch(() => true))) return;
  const intention = {
    thing: 'backup',
    subject: backupDirectory,
    found,
    action: 'its directory is removed',
    advice: 'Remove the directory, then run recover again.',
  } as const;
  await items.act(intention, async () => {
    // It must be next to the journal and be named after the work: a forged or damaged journal must not remove anything else.
    if (basename(backupDirectory) !== id || dirname(backupDirectory) !== dirname(dirname(journal))) {
      const message = `${backupDirectory} is not the directory of ${id}`;
      throw new FileSystemError('ERR_FILE_SYSTEM', { path: backupDirectory }, { message });
    }
    // An abort waits for the end of the removal, so that it is known what is gone.
    const bound = { budgetMs, graceMs: budgetMs, operation: 'unlink', subject: backupDirectory };
    await call.bounded(binding.removeTree(backupDirectory), bound);
  });
}
