import { readlink, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { CallBound } from '../call/call';
import { counted } from '../errors/counted';
import { FileSystemError, toPublicError } from '../errors/errors';
import { hookFailure } from '../store/hook-record';
import { isPresent } from '../store/file-identity';
import type { LeftOver } from '../store/left-over';
import { requireVss } from '../vss/call';
import type { NativeVss } from '../native/vss';
import { queryShadows, type ListedShadow } from '../vss/listed-shadow';
import type { Items } from './items';
import { fileCallsOf, type RecoveryTools } from './tools';

/** Removes the shadows of an unfinished backup, and the places where they are exposed. */
export async function removeShadows(left: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  if (left.provider === 'vss') {
    await removeSnapshotSet(left, tools, items);
    return;
  }
  for (const place of left.exposures) await removeLink(place, left, tools, items);
  if (isHook(left)) await removeByHook(left, tools, items);
  else for (const shadow of left.shadows) await removeFiles(shadow, left, tools, items);
}

const fileProviders = ['', 'btrfs', 'reflink', 'rolling'];

function isHook(left: LeftOver): boolean {
  return !isFileProvider(left);
}

/** Whether its shadows are directories made by us. */
export function isFileProvider({ provider }: LeftOver): boolean {
  return fileProviders.includes(provider);
}

function hangingShadow(operation: string, subject: string, budgetMs: number): CallBound {
  return { budgetMs, operation, subject, code: 'ERR_SHADOW_HANGS' };
}

/** A place is removed before its shadow: it is not documented whether deleting the shadow removes the place. */
async function removeSnapshotSet(left: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  const { binding, call, budgetMs } = tools;
  if (left.snapshotSet === '') return;
  const vss = requireVss(binding);
  const listed = await queryShadows(vss, new Set(), call);
  // A backup with several windows has a set for each. The journal names the shadows of all sets, but only the id of the last set.
  const ids = new Set(left.shadows.map((id) => id.toLowerCase()));
  const own = listed.filter(({ id, setId }) => setId === left.snapshotSet.toLowerCase() || ids.has(id));
  const sets = new Set(own.map(({ setId }) => setId));
  for (const setId of sets) {
    await removeOneSet(
      setId,
      own.filter((shadow) => shadow.setId === setId),
      { vss, call, budgetMs },
      items,
    );
  }
}

async function removeOneSet(
  snapshotSet: string,
  ofSet: readonly ListedShadow[],
  { vss, call, budgetMs }: Pick<RecoveryTools, 'call' | 'budgetMs'> & { readonly vss: NativeVss },
  items: Items,
): Promise<void> {
  for (const { id, exposedAs } of ofSet) {
    if (exposedAs === '') continue;
    const intention = { thing: 'exposure', subject: exposedAs, found: `${id} is exposed there` } as const;
    const advice = `Remove it with: domino-vss shadow unexpose ${id}; then run recover again.`;
    await items.act({ ...intention, action: 'it is removed', advice }, async () => {
      const bound = hangingShadow('IVssBackupComponentsEx2::UnexposeSnapshot', id, budgetMs);
      await call.bounded(vss.unexposeShadow({ id }), bound).catch((error: unknown) => {
        if (toPublicError(error).code !== 'ERR_VSS_NOT_FOUND') throw error;
      });
    });
  }
  const intention = {
    thing: 'shadow',
    subject: snapshotSet,
    found: `it contains ${counted(ofSet.length, 'shadow')}`,
    action: 'the set is deleted',
    advice: `Delete it with: domino-vss shadow delete --set ${snapshotSet} --foreign; then run recover again.`,
  } as const;
  await items.act(intention, async () => {
    const bound = hangingShadow('IVssBackupComponents::DeleteSnapshots', snapshotSet, budgetMs);
    const { failure } = await call.bounded(vss.deleteShadows({ id: snapshotSet, kind: 'set', force: true }), bound);
    if (failure) throw toPublicError(failure);
  });
}

/** Something else may have been put there in the meantime, which is not ours to remove. */
async function removeLink(place: string, { shadows }: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  const calls = fileCallsOf(tools);
  const target = await calls.wait(
    'readlink',
    place,
    readlink(place).catch(() => undefined),
  );
  // The target of a junction on Windows ends in a backslash.
  if (target === undefined || !shadows.some((shadow) => resolve(shadow) === resolve(target))) return;
  const advice = 'Remove the link, then run recover again.';
  await items.act(
    { thing: 'exposure', subject: place, found: `it leads to ${target}`, action: 'the link is removed', advice },
    () => calls.wait('unlink', place, rm(place)),
  );
}

async function removeFiles(shadow: string, left: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  const { binding, call, budgetMs } = tools;
  const advice = `Remove it, then run recover again.`;
  // If it cannot be accessed, it may exist; the removal then reports the error.
  const calls = fileCallsOf(tools);
  if (await calls.wait('lstat', shadow, isPresent(shadow)).catch(() => true)) {
    const intention = {
      thing: 'shadow',
      subject: shadow,
      found: 'it exists',
      action: 'it is removed',
      advice,
    } as const;
    await items.act(intention, async () => {
      // It must be named as our own plans name shadows: a forged or damaged journal must not remove anything else.
      if (basename(dirname(shadow)) !== left.id) {
        const message = `${shadow} does not look like a shadow of ${left.id}`;
        throw new FileSystemError('ERR_FILE_SYSTEM', { path: shadow }, { message });
      }
      const removing =
        left.provider === 'btrfs' && binding.deleteSubvolume
          ? binding.deleteSubvolume(shadow)
          : binding.removeTree(shadow);
      await call.bounded(removing, hangingShadow('unlink', shadow, budgetMs));
    });
  }
  if (!items.dryRun) await removeParents(shadow, left, tools, items);
}

/** Removes the directories that only this backup used, and the default shadow directory if it is empty. */
async function removeParents(shadow: string, { id }: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  const parent = dirname(shadow);
  if (basename(parent) !== id) return;
  const above = dirname(parent);
  const calls = fileCallsOf(tools);
  for (const directory of basename(above) === '.domino-vss' ? [parent, above] : [parent]) {
    try {
      await calls.wait('rmdir', directory, rmdir(directory));
    } catch (error) {
      tools.call.check();
      const { code = '' } = error as NodeJS.ErrnoException;
      // Gone, not empty, or not a directory of ours. The default directory for shadows is not only that of this backup.
      if (directory === above || ['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(code)) return;
      const advice = 'Remove it, then run recover again.';
      items.left({ thing: 'shadow', subject: directory, found: 'the directory of the shadow is empty', advice }, error);
      return;
    }
  }
}

async function removeByHook(left: LeftOver, { hook, call }: RecoveryTools, items: Items): Promise<void> {
  const { provider, shadows, volumes, id, journal, pendingHook } = left;
  // A hook without a function to remove snapshots leaves them on purpose.
  if (left.hook === null) return;
  const subject = shadows.length > 0 ? shadows.join(', ') : provider;
  const found =
    pendingHook === ''
      ? `the hook ${provider} made it for ${id}`
      : `the hook had not answered when the process died, so only the storage knows whether there is a snapshot of ${id}`;
  const byHand = `Look for it there and remove it, then delete ${journal}`;
  if (hook?.name !== provider || !hook.remove) {
    const advice = `${byHand}; or run recoverInterrupted with that hook.`;
    items.left({ thing: 'shadow', subject, found, advice });
    return;
  }
  const delivery = {
    shadows: shadows.map((root, index) => ({ volume: volumes[index] ?? '', root })),
    state: left.hook.state,
  };
  const context = { backupId: id, volumes: left.hook.volumes };
  const action = 'the hook removes it';
  await items.act({ thing: 'shadow', subject, found, action, advice: `${byHand}.` }, async () => {
    try {
      await call.race(hook.remove?.(delivery, context) ?? Promise.resolve());
    } catch (error) {
      throw hookFailure(provider, 'remove', error);
    }
  });
}
