import type { KeyObject } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Call } from '../call/call';
import { forEachIndex, forEachLimited } from '../call/event-loop';
import type { Catalog } from '../domino/catalog';
import { liveIdentities, type LiveIdentities, type LiveIdentity } from '../domino/identities';
import { timedateToDate } from '../domino/timedate';
import { listed } from '../domino/notice';
import type { Selection } from '../domino/selection';
import type { NativeBinding } from '../native/session';
import { readingCallsOf } from '../recover/tools';
import { hashFile } from '../store/copy';
import { examineFront, expectedOfCopy, expectedOfShadow, type ExpectedContents } from '../store/contents';
import { holderOf, loadLinks, type BackupHead, type Chain } from '../store/chain';
import { isOfServer, newestBackup, type ServerOfBackup } from '../store/backups';
import { databasesOf, type Manifest } from '../store/manifest';
import type { FileCalls } from '../store/stall';
import type { ManifestDatabase, ManifestHead, ManifestIncremental, TakenReason } from '../store/manifest-format';
import { keptRoots, shadowOf } from '../vss/kept-roots';
import { fileOnVolume } from './continuity';
import type { ArchivedLogs } from './log-reach';
import { warning, type Warning } from '../errors/warnings';

/** What an incremental backup captures, and what it leaves to earlier ones. */
export interface Incremental {
  /** The part of the selection to be captured. */
  readonly taken: Pick<Selection, 'indexes' | 'required'>;
  /** As they will be in the manifest, except for their numbers. */
  readonly carried: readonly ManifestDatabase[];
  readonly manifest: ManifestIncremental;
  readonly warnings: readonly Warning[];
}

/** What an incremental backup works with. */
export interface IncrementalWork {
  readonly binding: NativeBinding;
  readonly deltaDirectory: string;
  readonly server: ServerOfBackup;
  /** What is known about the archive of the transaction log. */
  readonly logs: ArchivedLogs;
  /**
   * Set if the backup is signed. Then the backups it builds on must be signed too, or a restore that requires signatures would
   * refuse it.
   */
  readonly verifyingKey: KeyObject | undefined;
  /** Longest time for one request to the server. */
  readonly budgetMs: number;
  readonly call: Call;
}

/** The backup that this one builds on. */
interface Base extends Chain<Manifest> {
  readonly databases: ReadonlyMap<string, ManifestDatabase>;
}

/**
 * A TIMEDATE counts hundredths of a second, so a change shortly after the time was read may leave it the same. Therefore a
 * database that changed shortly before a backup counts as changed.
 */
const indistinguishableMs = 1000;

/** Providers whose shadows have unique places. A path named by a hook, a hold or a writer may be another snapshot later. */
const ownShadowProviders = ['vss', 'btrfs', 'reflink', 'rolling'];

/** Decides which databases of a selection an incremental backup captures. If in doubt, it captures them. */
export async function chooseIncremental(
  catalog: Catalog,
  selection: Selection,
  work: IncrementalWork,
): Promise<Incremental> {
  const { call } = work;
  const { base, warnings } = await findBase(work);
  const examined = new Date().toISOString();
  const reasons = new Map<number, TakenReason>();
  const candidates = new Map<number, ManifestDatabase>();
  const unanswered: Warning[] = [];
  await forEachIndex(selection.indexes.length, (position) => {
    const index = selection.indexes[position] ?? 0;
    const line = base?.databases.get(catalog.paths[index] ?? '');
    if (!line) reasons.set(index, 'new');
    else if (!isSameFile(line, catalog.fileIds[index] ?? '')) reasons.set(index, 'replaced');
    else candidates.set(index, line);
  });
  if (base) {
    await withoutLost(candidates, base, reasons, work);
    const paths = [...candidates.values()].map(({ path }) => path);
    const identities = await liveIdentities(work.binding, paths, work.budgetMs, call);
    const { live } = identities;
    unanswered.push(...unansweredWarnings(identities));
    for (const [index, line] of candidates) {
      const reason = whyTaken(line, live.get(line.path), base.head, work.logs);
      if (reason === undefined) continue;
      candidates.delete(index);
      reasons.set(index, reason);
    }
  }
  if (reasons.size === 0) {
    const smallest = smallestOf(candidates, catalog);
    candidates.delete(smallest);
    reasons.set(smallest, 'moment');
  }
  const carried = [...candidates.values()].map((line) => ({ ...line, from: line.from ?? base?.head.id ?? '' }));
  return {
    taken: narrow(selection, reasons),
    carried,
    manifest: {
      base: base?.head.id ?? null,
      examined,
      links: base ? linksOf(carried, base) : [],
      taken: countsOf(reasons),
    },
    warnings: [
      ...warnings,
      ...(base
        ? []
        : [
            warning(
              'WARN_NOTHING_TO_BUILD_ON',
              `no backup of this server in ${work.deltaDirectory} keeps copies or a shadow: all databases are captured`,
              { subjects: [work.deltaDirectory] },
            ),
          ]),
      ...lostWarnings(reasons, catalog),
      ...unanswered,
      ...work.logs.problems.map((message) => warning('WARN_LOG_NOT_ARCHIVED', message)),
    ],
  };
}

/** The last backup that anything can be restored from, whether complete or partial: databases that it lacks are captured. */
async function findBase({ deltaDirectory, server, verifyingKey, call, budgetMs }: IncrementalWork): Promise<{
  readonly base: Base | undefined;
  readonly warnings: readonly Warning[];
}> {
  const check = (): void => {
    call.check();
  };
  const calls = readingCallsOf({ call, budgetMs });
  const { newest: base, warnings } = await newestBackup(
    deltaDirectory,
    {
      accepts: (manifest) => manifest.source === 'domino' && isOfServer(manifest, server) && keepsContents(manifest),
      read: async (head): Promise<Base> => {
        const databases = new Map<string, ManifestDatabase>();
        for await (const database of databasesOf(head, calls)) {
          check();
          databases.set(database.path, database);
        }
        const links = await calls.wait('read', head.directory, loadLinks(head, verifyingKey));
        return { head, databases, links };
      },
      purpose: 'this backup cannot build on',
      key: verifyingKey,
    },
    { check, calls },
  );
  return { base, warnings };
}

function keepsContents({ copies, volumes }: ManifestHead): boolean {
  return copies !== null || volumes.some(({ kept }) => kept);
}

function isSameFile({ fileId = '' }: ManifestDatabase, now: string): boolean {
  return fileId !== '' && now !== '' && fileOnVolume(fileId) === fileOnVolume(now);
}

/** Removes databases of which the earlier backup no longer has a copy or shadow, or which it cannot restore. */
async function withoutLost(
  candidates: Map<number, ManifestDatabase>,
  base: Base,
  reasons: Map<number, TakenReason>,
  work: IncrementalWork,
): Promise<void> {
  const { binding, call } = work;
  const roots = new Map<BackupHead, ReadonlyMap<string, string>>();
  for (const holder of [base.head, ...base.links.values()]) {
    if (typeof holder !== 'string') roots.set(holder, await rootsOf(holder, binding, call));
  }
  await forEachLimited([...candidates], 4, async ([index, line]) => {
    call.check();
    const holder = holderOf(line, base);
    if (typeof holder !== 'string' && (await isHeld(line, holder, roots.get(holder), work))) return;
    candidates.delete(index);
    reasons.set(index, 'source');
  });
}

/** Where its kept shadows are. If VSS does not answer, there are none to build on. */
async function rootsOf(holder: BackupHead, binding: NativeBinding, call: Call): Promise<ReadonlyMap<string, string>> {
  return keptRoots(() => binding, holder, call).catch(() => {
    call.check();
    return new Map<string, string>();
  });
}

/**
 * Whether a backup still has the database, as far as size and the beginning of the file show; `verifyBackup` and a restore
 * compare the whole file.
 */
async function isHeld(
  line: ManifestDatabase,
  holder: BackupHead,
  roots: ReadonlyMap<string, string> | undefined,
  { call, budgetMs }: IncrementalWork,
): Promise<boolean> {
  const calls = readingCallsOf({ call, budgetMs });
  const { copy, delta, deltaBytes, appliedInShadow, shadowPath } = line;
  const copied = copy && holder.copies ? join(holder.copies.directory, copy.file) : undefined;
  if (copied !== undefined && (await isSound(copied, expectedOfCopy(line), calls))) return true;
  const root = roots?.get(shadowOf(line, holder)?.id ?? '');
  if (root === undefined) return false;
  const file = join(root, shadowPath);
  if (!(await isSound(file, expectedOfShadow(line), calls))) return false;
  if (!ownShadowProviders.includes(holder.provider.name)) {
    // Another snapshot may have its path by now, and the beginning of a database can be the same in both.
    const check = (): void => {
      call.check();
    };
    if (line.sha256 === undefined) return false;
    if ((await hashFile(file, { check, sizeBytes: line.startSizeBytes, budgetMs })) !== line.sha256) return false;
  }
  return (
    delta === '' || appliedInShadow === true || (await sizeOf(join(holder.directory, delta), calls)) === deltaBytes
  );
}

async function isSound(file: string, expected: ExpectedContents, calls: FileCalls): Promise<boolean> {
  const wrong = await calls.wait('read', file, examineFront(file, expected)).catch(() => 'cannot be read');
  return wrong === undefined;
}

/** Negative if there is no file. */
async function sizeOf(file: string, calls: FileCalls): Promise<number> {
  const found = await calls.wait('stat', file, stat(file)).catch(() => undefined);
  return found?.isFile() ? found.size : -1;
}

/** Why a database must be captured; undefined if it need not be. */
function whyTaken(
  line: ManifestDatabase,
  now: LiveIdentity | { readonly reason: string } | undefined,
  base: ManifestHead,
  logs: ArchivedLogs,
): TakenReason | undefined {
  if (!now || 'reason' in now) return 'unknown';
  if (now.replicaId !== line.replicaId) return 'replaced';
  if (now.logged !== line.logged || now.dbiid !== line.dbiid || now.logId !== line.logId) return 'instance-id';
  const { modified = '' } = line;
  const [before, after] = [timesOf(modified), timesOf(now.modified)];
  // An older file in its place may even have the same file number.
  if (before.some((time, half) => (after[half] ?? NaN) < time)) return 'replaced';
  if (line.logged) return logs.reach(line.logId, line.logExtent) ? undefined : 'log';
  if (modified === '' || now.modified !== modified) return 'changed';
  // A database that was carried over before has already passed this check, against the backup that contains it.
  return line.from !== undefined || isDistinguishable(before, base) ? undefined : 'changed';
}

/** Whether a database was unchanged for long enough before its backup that a later change must have another time. */
function isDistinguishable(times: readonly number[], { timeAfterLastStart, window }: ManifestHead): boolean {
  if (timeAfterLastStart === null) return false;
  const [low, high] = timeAfterLastStart.innards;
  const begin = timeOf(low, high) - window.windowMs;
  return times.every((time) => time < begin - indistinguishableMs);
}

/** The two times in milliseconds; NaN if unknown. The second half of a TIMEDATE is written first. */
function timesOf(modified: string): readonly number[] {
  return [0, 16].map((at) => timeOf(modified.slice(at + 8, at + 16), modified.slice(at, at + 8)));
}

function timeOf(low: string, high: string): number {
  return timedateToDate([parseInt(low, 16), parseInt(high, 16)])?.getTime() ?? NaN;
}

function smallestOf(candidates: ReadonlyMap<number, ManifestDatabase>, catalog: Catalog): number {
  const sizeAt = (index: number): number => catalog.sizeBytes[index] ?? 0;
  let smallest = -1;
  for (const index of candidates.keys()) if (smallest < 0 || sizeAt(index) < sizeAt(smallest)) smallest = index;
  return smallest;
}

function narrow({ indexes, required }: Selection, reasons: ReadonlyMap<number, TakenReason>): Incremental['taken'] {
  const taken: number[] = [];
  const stillRequired = new Set<number>();
  for (const [position, index] of indexes.entries()) {
    if (!reasons.has(index)) continue;
    if (required.has(position)) stillRequired.add(taken.length);
    taken.push(index);
  }
  return { indexes: taken, required: stillRequired };
}

function linksOf(carried: readonly ManifestDatabase[], base: Base): ManifestIncremental['links'] {
  const counts = new Map<string, number>();
  for (const { from = '' } of carried) counts.set(from, (counts.get(from) ?? 0) + 1);
  return [...counts].sort().map(([id, databases]) => {
    const holder = id === base.head.id ? base.head : base.links.get(id);
    return { id, databasesSha256: typeof holder === 'object' ? holder.databasesSha256 : '', databases };
  });
}

function countsOf(reasons: ReadonlyMap<number, TakenReason>): ManifestIncremental['taken'] {
  const counts: Partial<Record<TakenReason, number>> = {};
  for (const reason of reasons.values()) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function lostWarnings(reasons: ReadonlyMap<number, TakenReason>, catalog: Catalog): Warning[] {
  const lost = [...reasons].filter(([, reason]) => reason === 'source').map(([index]) => catalog.paths[index] ?? '');
  if (lost.length === 0) return [];
  const message = `earlier backups have neither a copy nor a shadow any more, or cannot be used, so these are captured again: ${listed(lost)}`;
  return [warning('WARN_CONTENTS_LOST', message, { subjects: lost })];
}

function unansweredWarnings({ live, hanging }: LiveIdentities): Warning[] {
  const silent = [...live].flatMap(([path, answer]) => ('reason' in answer ? [{ path, reason: answer.reason }] : []));
  const [first] = silent;
  const subjects = silent.map(({ path }) => path);
  const message = `the server did not answer for these, so they are captured: ${listed(subjects)} (${first?.reason ?? ''})`;
  return [
    ...(hanging === '' ? [] : [warning('WARN_CALL_HANGS', `a call has not returned: ${hanging}`)]),
    ...(first ? [warning('WARN_DATABASE_UNANSWERED', message, { subjects })] : []),
  ];
}
