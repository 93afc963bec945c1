import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Call } from '../call/call';
import { open } from '../call/files';
import { counted } from '../errors/counted';
import { databaseFailureOf, DominoVssError, type DatabaseFailure } from '../errors/errors';
import { syncFile } from '../store/copy';
import { callsOf, type BackupWork, type Capture } from './capture';
import type { ResolvedProvider } from './provider';

/** A window whose shadows are kept. */
interface KeptWindow {
  readonly work: BackupWork;
  readonly capture: Capture;
}

/** @throws `ERR_UNSUPPORTED` for shadows that are not files of ours, or that cannot be written to. */
export function requireWritableShadow({ name, native }: Pick<ResolvedProvider, 'name' | 'native'>): void {
  if (native === 'reflink' || native === 'rolling' || native === 'btrfs') return;
  const message = `change information cannot be applied in a shadow of the provider "${name}": only in clones, rolling copies and btrfs snapshots`;
  throw new DominoVssError('ERR_UNSUPPORTED', { message, phase: 'end' });
}

/**
 * Applies the change information to the databases in kept shadows, so that each can be used in place: its first startSizeBytes
 * bytes, as they were at NSFBackupStart. A btrfs snapshot is writable in the meantime, and is made read-only again in any case. A
 * database that fails is returned; its delta can still be applied by a restore, because applying it again is allowed.
 */
export async function applyInShadows(windows: readonly KeptWindow[], call: Call): Promise<DatabaseFailure[]> {
  const failures: DatabaseFailure[] = [];
  for (const { work, capture } of windows) {
    for (const [volume, root] of capture.roots.entries()) {
      if (root === '') continue;
      await whileWritable(work, root, call, () => applyBelow({ work, capture }, volume, root, call, failures));
    }
  }
  return failures;
}

/** Records what our writer has applied in the shadows of another program, and returns what it could not. */
export function noteAppliedByWriter({ work, capture }: KeptWindow): DatabaseFailure[] {
  const failures: DatabaseFailure[] = [];
  for (const { index, failure } of work.inShadows ?? []) {
    if (failure !== null) failures.push(failure);
    else if (capture.databases.isCaptured(index)) capture.databases.setContents(index, { appliedInShadow: true });
  }
  return failures;
}

async function whileWritable(work: BackupWork, root: string, call: Call, body: () => Promise<void>): Promise<void> {
  if (work.provider.native !== 'btrfs') return body();
  const { databaseBudgetMs: budgetMs } = work.setup.options;
  await setReadOnly(work, root, false, call);
  try {
    await body();
  } finally {
    // Even after an abort, but with a time limit.
    await setReadOnly(work, root, true, new Call({ timeoutMs: 2 * budgetMs, phase: 'end' }));
  }
}

async function setReadOnly({ binding, setup }: BackupWork, root: string, readOnly: boolean, call: Call): Promise<void> {
  if (!binding.setSubvolumeReadOnly) {
    throw new DominoVssError('ERR_UNSUPPORTED', { message: 'there is no btrfs on this system', phase: 'end' });
  }
  await call.bounded(binding.setSubvolumeReadOnly(root, readOnly), {
    budgetMs: setup.options.databaseBudgetMs,
    operation: 'ioctl(BTRFS_IOC_SUBVOL_SETFLAGS)',
    subject: root,
    code: 'ERR_SHADOW_HANGS',
  });
}

async function applyBelow(
  { work, capture }: KeptWindow,
  volume: number,
  root: string,
  call: Call,
  failures: DatabaseFailure[],
): Promise<void> {
  const { databases } = capture;
  const { binding } = work;
  const { databaseBudgetMs: budgetMs } = work.setup.options;
  const calls = callsOf(work, call);
  const realRoot = await calls.wait('realpath', root, realpath(root));
  const check = (): void => {
    call.check();
  };
  for (const index of databases.indexes()) {
    if ((work.databases.volumeIndex[index] ?? 0) !== volume) continue;
    call.check();
    const { path, shadowPath, startSizeBytes, delta, announcedBytes, irregularPieces } = databases.describe(index);
    const file = join(realRoot, ...shadowPath.split('/'));
    try {
      // A link in the shadow has the same target as on the volume: the live database.
      if ((await calls.wait('realpath', file, realpath(file))) !== file)
        throw new Error(`${file} is a link that leads out of the shadow`);
      await calls.wait('ftruncate', file, cutTo(file, startSizeBytes));
      if (delta !== '') {
        const applying = binding.applyChangeInfo({
          copyFile: file,
          deltaFile: join(work.directory, delta),
          announcedBytes,
          pieceBytes: databases.results.pieceBytes,
          ...(irregularPieces && { irregularPieces: Uint32Array.from(irregularPieces) }),
        });
        await call.bounded(applying, { budgetMs, operation: 'NSFBackupApplyNextChangeInfo', subject: file });
      }
      await syncFile(file, { check, budgetMs });
      databases.setContents(index, { appliedInShadow: true });
    } catch (error) {
      call.check();
      failures.push(databaseFailureOf(path, 'end', error));
    }
  }
}

/**
 * What was appended while the database was in backup mode is not part of the backup, and the change information does not cover
 * it.
 */
async function cutTo(file: string, sizeBytes: number): Promise<void> {
  const { size } = await stat(file);
  if (size < sizeBytes) throw new Error(`${file} has ${counted(size, 'byte')} instead of ${sizeBytes}`);
  if (size === sizeBytes) return;
  const handle = await open(file, 'r+');
  try {
    await handle.truncate(sizeBytes);
  } finally {
    await handle.close();
  }
}
