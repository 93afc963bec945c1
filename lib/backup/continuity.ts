import type { Call } from '../call/call';
import { forEachIndex } from '../call/event-loop';
import type { CapturedDatabases } from './captured';
import { decidedFailure, type DatabaseFailure } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import { isOfServer, newestBackup, type ServerOfBackup } from '../store/backups';
import { databasesOf, type Manifest } from '../store/manifest';
import type { FileCalls } from '../store/stall';
import type { ManifestContinuity, ManifestDatabase } from '../store/manifest-format';
import { Aliases } from '../domino/aliases';
import type { Catalog } from '../domino/catalog';
import type { SelectionRules } from '../domino/selection';

/** The identity of the database at a path, as far as a manifest contains it. */
type Identity = Pick<ManifestDatabase, 'replicaId' | 'dbiid' | 'fileId'>;

/** What is known from the last backup of the same data directory. */
interface LastBackup {
  readonly id: string;
  readonly captured: ReadonlyMap<string, Identity>;
  /** Databases that an earlier backup captured and this one could not. */
  readonly lost: ReadonlySet<string>;
}

/** Maximum number of databases that a warning names; the manifest has all of them. */
const namedDatabases = 10;

/** The present contents of the data directory, as far as the comparison needs them. */
export interface PresentDatabases {
  readonly paths: readonly string[];
  /** Other names that lead to them. */
  readonly aliases: Catalog['aliases'];
  /** Files that are named like a database but are not one, neither by their signature nor as a link. */
  readonly notDatabases: readonly string[];
  /** Paths that hide databases: broken links and unreadable directories. */
  readonly problems: readonly string[];
}

/**
 * Compares a backup with the last one of the same data directory in the same delta directory. A database that was captured then
 * but cannot be captured now is missing from the backup, just like a database that fails, even if it disappeared silently.
 */
export class Continuity {
  private constructor(
    private readonly last: LastBackup | undefined,
    /** Databases of the last backup that are gone. */
    readonly vanished: readonly DatabaseFailure[],
    /** Databases of the last backup whose file is no longer a database. */
    readonly unreadable: readonly DatabaseFailure[],
    readonly warnings: readonly Warning[],
  ) {}

  /** For backups without databases, and for the first backup of a server. */
  static readonly none = new Continuity(undefined, [], [], []);

  static async compare(
    deltaDirectory: string,
    server: ServerOfBackup,
    present: PresentDatabases,
    rules: Pick<SelectionRules, 'leaveOut'>,
    call: Call,
    calls: FileCalls,
  ): Promise<Continuity> {
    const check = (): void => {
      call.check();
    };
    const { newest: last, warnings } = await newestBackup(
      deltaDirectory,
      {
        accepts: (manifest) => manifest.source !== 'volumes' && isOfServer(manifest, server),
        read: (manifest) => readCaptured(manifest, check, calls),
        purpose: 'this backup cannot be compared with',
      },
      { check, calls },
    );
    if (!last) return new Continuity(undefined, [], [], warnings);
    const there = new Set<string>();
    await forEachIndex(present.paths.length, (index) => there.add(present.paths[index] ?? ''));
    const aliases = new Aliases(present.aliases);
    const damaged = new Set(present.notDatabases);
    const vanished: DatabaseFailure[] = [];
    const unreadable: DatabaseFailure[] = [];
    const known = [...last.captured.keys(), ...last.lost];
    await forEachIndex(known.length, (index) => {
      const path = known[index] ?? '';
      // A link made since then may have given a database another name.
      if (there.has(path) || there.has(aliases.resolve(path)) || rules.leaveOut(path) !== undefined) return;
      // Whatever hides it has already been reported as a failure.
      if (present.problems.some((problem) => path === problem || path.startsWith(`${problem}/`))) return;
      if (damaged.has(path)) {
        const text = `backup ${last.id} or an earlier one contains it, but its file no longer begins like a database`;
        unreadable.push(decidedFailure(path, 'ERR_DATABASE_UNREADABLE', 'find', text));
      } else if (last.captured.has(path)) {
        const text = `backup ${last.id} contains it, but it no longer exists`;
        vanished.push(decidedFailure(path, 'ERR_DATABASE_VANISHED', 'find', text));
      }
    });
    return new Continuity(last, vanished, unreadable, warnings);
  }

  /** Without databases whose absence has already been explained. */
  without(explained: readonly DatabaseFailure[]): Continuity {
    const paths = new Set(explained.map(({ database }) => database));
    const others = (failures: readonly DatabaseFailure[]): DatabaseFailure[] =>
      failures.filter(({ database }) => !paths.has(database));
    return new Continuity(this.last, others(this.vanished), others(this.unreadable), this.warnings);
  }

  /** What the manifest says, once it is known what was captured and what was left out. */
  async describe(
    windows: readonly CapturedDatabases[],
    skipped: readonly DatabaseFailure[],
  ): Promise<ManifestContinuity> {
    const { last } = this;
    const replaced: ManifestContinuity['replaced'][number][] = [];
    for (const databases of last ? windows : []) {
      await forEachIndex(databases.results.count, (index) => {
        if (!databases.isCaptured(index)) return;
        const database = databases.describe(index);
        const before = last?.captured.get(database.path);
        const changed = before ? changedIds(before, database) : [];
        if (changed.length > 0) replaced.push({ database: database.path, changed });
      });
    }
    const gone = new Set(this.vanished.map(({ database }) => database));
    const lost: string[] = [];
    const neverCaptured: string[] = [];
    for (const path of new Set(skipped.map(({ database }) => database))) {
      if (gone.has(path)) continue;
      if (last?.captured.has(path) || last?.lost.has(path)) lost.push(path);
      else neverCaptured.push(path);
    }
    return { comparedWith: last?.id ?? null, vanished: [...gone], lost, neverCaptured, replaced };
  }
}

/** Warnings that are not failures of a database. */
export function continuityWarnings({ comparedWith, neverCaptured, replaced }: ManifestContinuity): Warning[] {
  if (comparedWith === null) return [];
  const warnings: Warning[] = [];
  if (replaced.length > 0) {
    const names = replaced.map(({ database, changed }) => `${database} (${changed.join(', ')})`);
    const subjects = replaced.map(({ database }) => database);
    const message = `different databases from those in backup ${comparedWith}: ${list(names)}`;
    warnings.push(warning('WARN_DATABASE_REPLACED', message, { subjects }));
  }
  const unreachable = replaced.filter(({ changed }) => changed.includes('instance id'));
  if (unreachable.length > 0) {
    const subjects = unreachable.map(({ database }) => database);
    const meaning = 'the transaction log can roll older backups of them forward only up to this change';
    const message = `an instance id different from that in backup ${comparedWith}, or none: ${list(subjects)}; ${meaning}`;
    warnings.push(warning('WARN_INSTANCE_ID_CHANGED', message, { subjects }));
  }
  if (neverCaptured.length > 0) {
    const message = `not in any backup so far: ${list(neverCaptured)}`;
    warnings.push(warning('WARN_NEVER_CAPTURED', message, { subjects: neverCaptured }));
  }
  return warnings;
}

function list(names: readonly string[]): string {
  const more = names.length - namedDatabases;
  return [...names.slice(0, namedDatabases), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

/** The number of a device changes when the machine restarts; the number of a file does not. */
export function fileOnVolume(fileId: string): string {
  return fileId.slice(fileId.indexOf(':') + 1);
}

function changedIds(before: Identity, now: Identity): ('replica id' | 'instance id' | 'file')[] {
  const differs = (a: string | undefined, b: string | undefined): boolean => !!a && !!b && a !== b;
  return [
    ...(differs(before.replicaId, now.replicaId) ? (['replica id'] as const) : []),
    // A database that is no longer logged has no instance id: the log cannot roll it forward, just as with a different id.
    ...(before.dbiid !== '' && before.dbiid !== now.dbiid ? (['instance id'] as const) : []),
    ...(differs(fileOnVolume(before.fileId ?? ''), fileOnVolume(now.fileId ?? '')) ? (['file'] as const) : []),
  ];
}

async function readCaptured(manifest: Manifest, check: () => void, calls: FileCalls): Promise<LastBackup> {
  const captured = new Map<string, Identity>();
  for await (const { path, replicaId, dbiid, fileId } of databasesOf(manifest, calls)) {
    check();
    captured.set(path, { replicaId, dbiid, ...(fileId !== undefined && { fileId }) });
  }
  return { id: manifest.id, captured, lost: new Set(manifest.continuity?.lost) };
}
