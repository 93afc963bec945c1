import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Call } from '../call/call';
import { forEachLimited } from '../call/event-loop';
import type { ErrorCode } from '../errors/codes';
import { databaseFailureOf, decidedFailure, type DatabaseFailure } from '../errors/errors';
import { examineDelta, examineFront, whyUnreadable } from '../store/contents';
import { requireFreeSpace } from '../store/copy';
import { isPresent } from '../store/file-identity';
import { namesOfRestore } from '../store/restored-files';
import { FileCalls } from '../store/stall';
import { hasUnreturned } from '../call/unreturned-calls';
import { findOpenFiles } from './in-use';
import { isInPlace } from './mode';
import { copyOf, type KnownInput, type PlannedDatabase, type RestoreChoice, type RestorePlan } from './plan';

/** Copies that the backup made but that no longer exist; its shadow may still exist. */
export async function findLostCopies(
  input: KnownInput,
  { chosen }: RestoreChoice,
  calls: FileCalls,
): Promise<ReadonlySet<string>> {
  const lost = new Set<string>();
  await forEachLimited(chosen, 4, async (database) => {
    const copy = copyOf(database, input);
    // A copy that cannot be accessed is not lost: reading it will report the error.
    if (copy === undefined) return;
    const isThere = await calls.wait('lstat', copy, isPresent(copy)).catch(() => true);
    if (!isThere) lost.add(database.path);
  });
  return lost;
}

/** Which calls are known to hang, and when a further one is given up. */
export interface KnownHangs {
  /** Places of databases on which a call of another process has not returned. */
  readonly hanging?: ReadonlySet<string> | undefined;
  /** Longest time for one call on a file. Default: that of any call on a file. */
  readonly budgetMs?: number | undefined;
}

/** Checks everything that can be checked without touching a database. */
export async function checkBeforehand(
  plan: RestorePlan,
  call: Call,
  { hanging = new Set(), budgetMs }: KnownHangs = {},
): Promise<{ readonly ready: PlannedDatabase[]; readonly refused: DatabaseFailure[] }> {
  const refused: DatabaseFailure[] = [];
  const ready: PlannedDatabase[] = [];
  const open = plan.mode.type === 'offline' ? await findOpenFiles(plan.databases.map(({ file }) => file)) : new Map();
  await forEachLimited(plan.databases, 4, async (planned) => {
    const failure = await refuse(planned, plan, { open, hanging, budgetMs }, call).catch((error: unknown) => {
      call.check();
      return databaseFailureOf(planned.database.path, 'restore', error);
    });
    if (failure) refused.push(failure);
    else ready.push(planned);
  });
  const order = new Map(plan.databases.map((planned, index) => [planned, index]));
  ready.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return { ready, refused };
}

async function refuse(
  { database, file, source, delta, original, contents }: PlannedDatabase,
  plan: RestorePlan,
  { open, hanging, budgetMs }: KnownHangs & { readonly open: ReadonlyMap<string, number> },
  call: Call,
): Promise<DatabaseFailure | undefined> {
  const check = (): void => {
    call.check();
  };
  check();
  const calls = new FileCalls({ check, budgetMs });
  const because = (code: ErrorCode, text: string): DatabaseFailure =>
    decidedFailure(database.path, code, 'restore', text);
  // It may still move a file that this restore needs, or put another one in the place of the copy.
  if (hanging?.has(file) === true || hasUnreturned(namesOfRestore(file))) {
    return because('ERR_FILE_HANGS', `an earlier call on ${file} has not returned and may still take effect`);
  }
  const process = open.get(file);
  if (process !== undefined) return because('ERR_RESTORE_IN_USE', `process ${process} has ${file} open`);
  if (!isInPlace(plan.mode)) {
    if (await calls.wait('lstat', file, isPresent(file)))
      return because('ERR_RESTORE_TARGET', `${file} already exists`);
  } else if (await calls.wait('lstat', original, isPresent(original))) {
    return because('ERR_RESTORE_TARGET', `${original} is left from an earlier restore and may be the only original`);
  }
  const wrong = await calls.wait('read', source, examineFront(source, contents)).catch((error: unknown) => {
    const as = { code: 'ERR_RESTORE_SOURCE', text: whyUnreadable(source, error) } as const;
    return databaseFailureOf(database.path, 'restore', error, as);
  });
  if (typeof wrong === 'object') return wrong;
  if (wrong !== undefined) return because('ERR_CONTENTS_DAMAGED', `${source} ${wrong}`);
  if (delta === '') return undefined;
  const wrongDelta = await examineDelta(delta, database, { check, budgetMs });
  return wrongDelta === undefined ? undefined : because('ERR_DELTA_DAMAGED', `${delta} ${wrongDelta}`);
}

/** Missing directories are created together with the copies, after the journal has named them. */
async function nearestExisting(directory: string): Promise<string> {
  let at = directory;
  while (dirname(at) !== at && !(await stat(at).catch(() => undefined))) at = dirname(at);
  return at;
}

/** For a while, the copies are beside the originals, on the file systems of these. */
export async function checkFreeSpace(databases: readonly PlannedDatabase[], calls: FileCalls): Promise<void> {
  const byDirectory = new Map<string, number>();
  for (const { file, database } of databases) {
    const directory = dirname(file);
    byDirectory.set(directory, (byDirectory.get(directory) ?? 0) + database.startSizeBytes);
  }
  const needed = new Map<number, { directory: string; bytes: number }>();
  for (const [wanted, bytes] of byDirectory) {
    const directory = await calls.wait('stat', wanted, nearestExisting(wanted));
    const { dev } = await calls.wait('stat', directory, stat(directory));
    const entry = needed.get(dev) ?? { directory, bytes: 0 };
    entry.bytes += bytes;
    needed.set(dev, entry);
  }
  for (const { directory, bytes } of needed.values()) {
    await calls.wait('statfs', directory, requireFreeSpace(directory, bytes));
  }
}
