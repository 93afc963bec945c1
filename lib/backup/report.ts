import type { KeyObject } from 'node:crypto';
import { listAlsoSave } from './also-save';
import type { BackupWork, Capture } from './capture';
import { hex32 } from '../domino/timedate';
import { VssError, type DatabaseFailure, type DominoVssError } from '../errors/errors';
import { forEachIndex } from '../call/event-loop';
import type { RecoveredWork } from '../recover/report';
import type { LeftOver } from '../store/left-over';
import type { FileCalls } from '../store/stall';
import type { ManifestHead, ManifestVolume, ManifestVss, ManifestWindow } from '../store/manifest-format';
import { readPackageVersion } from '../native/package-root';
import { serverFileWarnings } from './server-files';
import type { SnapshotSet, CopyReport } from './snapshot-set';
import type { Notice } from '../domino/notice';
import { continuityWarnings } from './continuity';
import type { FurtherWindow } from './further-windows';
import type { KeptContents } from './kept-contents';
import type { NativeResults } from '../native/session';
import { fromNativeWarning, warning, type Warning } from '../errors/warnings';
import { windowFigures } from './timeline';
import type { WindowFigures } from '../store/manifest-format';
import { saveVssDocuments } from '../vss/session';

/** Facts about the server and requirements of the backup, for the manifest and the report. */
export interface BackupFacts {
  readonly notesIni: string;
  readonly serverName: string;
  readonly lifetime: 'backup' | 'persistent';
  readonly logStyle: ManifestHead['logStyle'];
  readonly warnings: readonly Warning[];
  readonly notices: readonly Notice[];
  readonly leftOvers: readonly LeftOver[];
  /** Signs the manifest; undefined for no signature. */
  readonly signKey: KeyObject | undefined;
  readonly recovered: readonly RecoveredWork[];
}

/** The report of a finished backup. A failed backup is an error instead. */
export interface BackupReport {
  readonly id: string;
  /** Name of the Domino server; empty if unknown, as for a stopped server. */
  readonly serverName: string;
  /** `partial` if databases were left out or could not be copied. */
  readonly outcome: 'complete' | 'partial';
  /** Directory of the backup. */
  readonly directory: string;
  /** Absolute path of manifest.json. */
  readonly manifest: string;
  readonly provider: { readonly name: string; readonly reason: string };
  readonly lifetime: 'backup' | 'persistent';
  readonly window: WindowFigures;
  /** Windows after the first, for databases that were busy in it; see `retries.busyDatabases`. */
  readonly furtherWindows: readonly ManifestWindow[];
  readonly counts: ManifestHead['counts'];
  /** Volumes and their shadows; `kept` says which still exist. */
  readonly volumes: readonly ManifestVolume[];
  /** The snapshot set, with its writers and the paths of their documents; null unless VSS made it. */
  readonly vss: ManifestVss | null;
  /** Databases that are not in the backup. */
  readonly skipped: readonly DatabaseFailure[];
  readonly changes: ManifestHead['changes'];
  /** Comparison with the last backup of the same server; undefined for plain volumes. */
  readonly continuity: ManifestHead['continuity'];
  /** What an incremental backup builds on, and why it captured each database; undefined for a full one. */
  readonly incremental: ManifestHead['incremental'];
  /** What the hashes in the manifest cover. */
  readonly contents: ManifestHead['contents'];
  /** The copies that were made; null for none. */
  readonly copies: CopyReport | null;
  /** What must be saved in addition to the databases, in this order. */
  readonly alsoSave: ManifestHead['alsoSave'];
  readonly warnings: readonly Warning[];
  /**
   * Notices about the selection of databases, with codes. Those that may indicate a mistake are in {@link warnings}
   * too.
   */
  readonly notices: readonly Notice[];
  /**
   * What failed after the manifest was on disk, when the databases were already safe: notifying the writers, or removing shadows
   * and their exposures. Each is in {@link warnings} too.
   */
  readonly problems: readonly DominoVssError[];
  /** What earlier processes left behind and this backup could not clean up when it began. */
  readonly leftOvers: readonly LeftOver[];
  /** Interrupted work of earlier processes, and how it was resolved when this backup began. */
  readonly recovered: readonly RecoveredWork[];
}

/** VSS calls that remove something after the writers have been notified. */
const removals: readonly string[] = [
  'IVssBackupComponents::DeleteSnapshots',
  'IVssBackupComponentsEx2::UnexposeSnapshot',
];

/** Why the writers were not told, or could not be told, that the backup is complete; undefined if there was no failure. */
export function completionFailure({ vss, problems }: Pick<BackupReport, 'vss' | 'problems'>): VssError | undefined {
  if (!vss || vss.writers.length === 0) return undefined;
  return problems.find(
    (error): error is VssError =>
      error instanceof VssError && error.phase === 'end' && !removals.includes(error.operation),
  );
}

/** A backup after all its windows. */
interface Created {
  readonly set: SnapshotSet;
  readonly capture: Capture;
  readonly further: readonly FurtherWindow[];
}

/** Everything in a manifest except the hash of its databases. */
export type UnsignedHead = Omit<ManifestHead, 'databasesSha256'>;

export async function buildManifestHead(
  work: BackupWork,
  facts: BackupFacts,
  { set, capture, further }: Created,
  kept: KeptContents | undefined,
  calls: FileCalls,
): Promise<UnsignedHead> {
  const { databases, provider, incremental } = work;
  const captures = [capture, ...further.map((window) => window.capture)];
  const { results } = capture.databases;
  const copies = set.copyReport;
  const keep = kept !== undefined;
  const ofDatabases = [...set.skipped, ...(kept?.failures ?? []), ...(copies?.failures ?? [])];
  const serverFiles = copies?.serverFiles;
  const failures = [...ofDatabases, ...(serverFiles?.failures ?? [])];
  const continuity =
    work.source === 'volumes'
      ? undefined
      : await work.continuity.describe(
          captures.map((one) => one.databases),
          ofDatabases,
        );
  const contents = { copies: copies ? 'sha256' : 'none', ...(kept?.hashed ?? { shadows: 'none' }) } as const;
  const vss = await saveVssDocuments(work, calls);
  const furtherWindows: ManifestWindow[] = [];
  for (const window of further) furtherWindows.push(await describeWindow(window, calls));
  const vssWarnings = [work, ...work.furtherWork].flatMap(({ session }) =>
    (session.vssReport()?.warnings ?? []).map(fromNativeWarning),
  );
  const stuckWarnings = captures
    .flatMap((one) => one.databases.stuck)
    .map((path) =>
      warning('WARN_DATABASE_STUCK', `${path} may still be in backup mode: a call hangs`, { subjects: [path] }),
    );
  return {
    formatVersion: 1,
    id: work.id,
    created: set.created.toISOString(),
    outcome: failures.length > 0 ? 'partial' : 'complete',
    source: work.source === 'volumes' ? 'volumes' : work.mode.type === 'backup-api' ? 'domino' : 'offline',
    dataDirectory: databases.dataDirectory,
    notesIni: facts.notesIni,
    serverName: facts.serverName,
    provider: { name: provider.name, reason: provider.reason },
    lifetime: facts.lifetime,
    volumes: [databases, ...further.map((window) => window.work.databases)]
      .flatMap(({ volumes }) => volumes)
      .map(({ path, device, fileSystem }, index) => {
        const { id = '', root = '', exposedAs } = set.shadows[index] ?? {};
        const exposed = keep && exposedAs !== undefined;
        return { id, path, device, fileSystem, root, kept: keep, ...(exposed && { exposedAs }) };
      }),
    ...(vss && { vss }),
    ...(work.snapshotSetId !== undefined && { snapshotSetId: work.snapshotSetId }),
    timeAfterLastStart: timeAfterLastStart(results),
    window: windowFigures(capture.timeline),
    logStyle: facts.logStyle,
    versions: {
      package: readPackageVersion(),
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    },
    ...(furtherWindows.length > 0 && { furtherWindows }),
    counts: {
      ...(await countDatabases(databases.paths.length, set.skipped.length, captures)),
      ...(incremental && { carried: incremental.carried.length }),
    },
    pieceBytes: results.pieceBytes,
    failures,
    changes: capture.changes,
    ...(incremental && { incremental: incremental.manifest }),
    ...(continuity && { continuity, contents }),
    copies: copies ? { directory: copies.directory, databases: copies.databases } : null,
    ...(serverFiles && { serverFiles: { files: serverFiles.files, notCopied: serverFiles.notCopied } }),
    alsoSave:
      work.source === 'volumes'
        ? []
        : await listAlsoSave(
            { notesIni: facts.notesIni, dataDirectory: databases.dataDirectory, logStyle: facts.logStyle },
            work.directory,
            new Set(serverFiles?.files.map(({ path }) => path)),
            calls,
          ),
    ...(facts.notices.length > 0 && { notices: facts.notices }),
    ...(databases.aliases.length > 0 && { aliases: databases.aliases }),
    warnings: [
      ...facts.warnings,
      ...(kept?.warnings ?? []),
      ...work.warnings,
      ...vssWarnings,
      ...stuckWarnings,
      ...(continuity ? continuityWarnings(continuity) : []),
      ...(serverFiles ? serverFileWarnings(serverFiles) : []),
    ],
  };
}

async function describeWindow(
  { number, created, work, capture }: FurtherWindow,
  calls: FileCalls,
): Promise<ManifestWindow> {
  const { databases, timeline } = capture;
  const vss = await saveVssDocuments(work, calls, `window-${number}/`);
  return {
    number,
    created: created.toISOString(),
    databases: databases.count,
    timeAfterLastStart: timeAfterLastStart(databases.results),
    window: windowFigures(timeline),
    ...(vss && { vss }),
  };
}

function timeAfterLastStart({ afterLastStart }: NativeResults): ManifestHead['timeAfterLastStart'] {
  const { innards, epochMs } = afterLastStart;
  if (epochMs <= 0) return null;
  return { innards: [hex32(innards[0]), hex32(innards[1])], iso: new Date(epochMs).toISOString() };
}

async function countDatabases(
  databases: number,
  skipped: number,
  captures: readonly Capture[],
): Promise<ManifestHead['counts']> {
  const counts = { captured: 0, logged: 0, deltas: 0, startSizeBytes: 0, deltaBytes: 0 };
  for (const capture of captures) {
    const { results, count } = capture.databases;
    counts.captured += count;
    await forEachIndex(results.count, (index) => {
      if (!capture.databases.isCaptured(index)) return;
      const deltaBytes = results.deltaBytes[index] ?? 0;
      counts.logged += results.logged[index] ?? 0;
      counts.deltas += deltaBytes > 0 ? 1 : 0;
      counts.startSizeBytes += results.startSizeBytes[index] ?? 0;
      counts.deltaBytes += deltaBytes;
    });
  }
  const { captured, ...others } = counts;
  return { databases, captured, skipped, ...others };
}
