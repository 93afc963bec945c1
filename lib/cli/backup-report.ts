import { join } from 'node:path';
import { type BackupReport } from '../backup/report';
import { counted } from '../errors/counted';
import type { DatabaseFailure } from '../errors/errors';
import type { ListedBackup } from '../store/backups';
import type { Manifest } from '../store/manifest';
import {
  type ManifestContents,
  serverFilesDirectory,
  type ManifestServerFiles,
  type ManifestWindow,
  type TakenReason,
} from '../store/manifest-format';
import type { Alias } from '../domino/aliases';
import { listed, type Notice } from '../domino/notice';
import { formatBytes, formatMs, type Output, shownRows } from './output';
import { drawWindow } from './window-picture';

/** All databases and files that are missing from a backup. */
export function failuresOf({ skipped, copies }: Pick<BackupReport, 'skipped' | 'copies'>): DatabaseFailure[] {
  return [...skipped, ...(copies?.failures ?? []), ...(copies?.serverFiles?.failures ?? [])];
}

/** The lines about a finished backup. */
export function describeReport(report: BackupReport, output: Output): string[] {
  const { counts, copies, volumes, vss, alsoSave } = report;
  const kept = volumes.filter((volume) => volume.kept);
  const left = kept.map(({ root, exposedAs }) => (exposedAs === undefined ? root : `${exposedAs} (${root})`));
  const excluded = vss?.writers.filter((writer) => writer.excluded !== '') ?? [];
  return [
    ...output.failures(failuresOf(report)),
    ...output.warnings(report.warnings),
    ...drawWindow(report.window, output.columns),
    '',
    ...output.table(
      [
        ['backup', `${report.id} ${outcome(report.outcome, output)}`],
        ['provider', `${report.provider.name} (${report.provider.reason})`],
        ...(counts.databases > 0
          ? [
              ['databases', describeCounts(counts)],
              ...describeIncremental(report.incremental, counts),
              ['deltas', `${counted(counts.deltas, 'file')}, ${formatBytes(counts.deltaBytes)}`],
              ...describeRebuilt(report.notices),
            ]
          : []),
        ...(vss ? [['snapshot set', `${vss.setId}, ${vss.context}`]] : []),
        ...(vss && vss.writers.length > 0
          ? [['writers', `${vss.writers.length - excluded.length} took part, ${excluded.length} left out`]]
          : []),
        ...describeFurther(report.furtherWindows),
        ['shadow', left.length > 0 ? `kept: ${left.join(', ')}` : 'removed'],
        ...(copies ? [['copies', `${copies.databases} in ${copies.directory}, ${formatBytes(copies.bytes)}`]] : []),
        ...describeServerFiles(copies?.serverFiles, copies?.directory),
        ['manifest', report.manifest],
      ],
      false,
    ),
    ...(alsoSave.length === 0 ? [] : ['', 'also save, in this order:']),
    ...output.table(
      alsoSave.map(({ what, path, when }) => [`  ${what}`, path, when]),
      false,
    ),
  ];
}

function outcome(state: 'complete' | 'partial', { colors }: Output): string {
  return state === 'complete' ? colors.green('complete') : colors.yellow('partial');
}

function describeCounts(counts: BackupReport['counts']): string {
  const left = counts.skipped > 0 ? `, ${counts.skipped} left out` : '';
  return `${counts.captured} captured${left}, ${formatBytes(counts.startSizeBytes)}, ${counts.logged} logged`;
}

/** The composition of an incremental backup. */
function describeIncremental(incremental: BackupReport['incremental'], counts: BackupReport['counts']): string[][] {
  if (!incremental) return [];
  const taken = Object.entries(incremental.taken).map(
    ([reason, number]) => `${number} ${takenWords[reason as TakenReason]}`,
  );
  const from = incremental.links.map(({ id, databases }) => `${databases} from ${id}`);
  return [
    ['incremental', incremental.base === null ? 'nothing to build on' : `after ${incremental.base}`],
    ['taken', taken.join(', ')],
    ...(from.length > 0 ? [['carried over', `${counts.carried ?? 0}: ${listed(from)}`]] : []),
  ];
}

const takenWords: Readonly<Record<TakenReason, string>> = {
  new: 'not in it',
  replaced: 'replaced',
  'instance-id': 'with another instance id',
  changed: 'changed',
  log: 'not covered by a log archive',
  source: 'whose copy or shadow is gone',
  unknown: 'about which the server did not answer',
  moment: 'for the time of the backup',
};

/** Which server files were copied, and why the others were not. */
function describeServerFiles(serverFiles: ManifestServerFiles | undefined, directory = ''): string[][] {
  if (!serverFiles) return [];
  const { files, notCopied } = serverFiles;
  const where = files.length > 0 ? `${files.length} in ${join(directory, serverFilesDirectory)}: ` : '(none)';
  const missing = notCopied.filter(({ reason }) => reason === 'missing').map(({ path }) => path);
  const rebuilt = notCopied.filter(({ reason }) => reason === 'rebuilt').map(({ path }) => path);
  return [
    ['server files', `${where}${files.map(({ path }) => path).join(', ')}`],
    ...(missing.length > 0 ? [['  not there', missing.join(', ')]] : []),
    ...(rebuilt.length > 0 ? [['  left out', `${rebuilt.join(', ')} (rebuilt: tell daosmgr resync)`]] : []),
  ];
}

/** What the hashes cover. */
function describeContents({ copies, shadows, unhashed = [] }: ManifestContents): string {
  const without = unhashed.length === 0 ? '' : ` (${counted(unhashed.length, 'database')} without)`;
  return `copies: ${copies}, shadow: ${shadows}${without}`;
}

function describeFurther(windows: readonly ManifestWindow[]): string[][] {
  return windows.map(({ number, databases, created, window }) => [
    `window ${number}`,
    `${counted(databases, 'database')} that were busy before, ${formatMs(window.windowMs)}, ended ${created}`,
  ]);
}

/**
 * Databases that the server rebuilds, which are therefore not in the backup. This is not a warning, because it is so in every
 * backup.
 */
function describeRebuilt(notices: readonly Notice[]): string[][] {
  return notices
    .filter(({ code }) => code === 'INFO_REBUILT_BY_SERVER')
    .map(({ subjects }) => ['left out', `${listed(subjects)} (rebuilt by the server)`]);
}

function describeAliases(aliases: readonly Alias[]): string[][] {
  const rows = aliases
    .slice(0, shownRows)
    .map(({ alias, path }) => ['alias', `${alias} → ${path || '(data directory)'}`]);
  const more = aliases.length - rows.length;
  return more > 0 ? [...rows, ['', `… and ${more} more; --json shows all`]] : rows;
}

/** A table of the backups in a delta directory. */
export function describeList(backups: readonly ListedBackup[], output: Output): string[] {
  if (backups.length === 0) return ['no backups'];
  const rows = backups.map((backup) => {
    if (!('manifest' in backup)) {
      return [backup.id, output.colors.red(backup.state), '', '', 'reason' in backup ? backup.reason : ''];
    }
    const { counts, window, provider, volumes, copies, serverFiles } = backup.manifest;
    const holds = [
      ...(copies ? ['copies'] : []),
      ...(serverFiles ? ['server files'] : []),
      ...(volumes.some(({ kept }) => kept) ? ['shadow'] : []),
    ];
    return [
      backup.id,
      outcome(backup.state, output),
      `${counts.captured}${counts.carried ? ` + ${counts.carried}` : ''}, ${formatBytes(counts.startSizeBytes)}`,
      formatMs(window.windowMs),
      [provider.name, ...holds].join(', '),
    ];
  });
  return output.table([['ID', 'OUTCOME', 'DATABASES', 'WINDOW', 'PROVIDER, HOLDS'], ...rows]);
}

/** The lines about one backup, from its manifest. */
export function describeManifest(manifest: Manifest, output: Output): string[] {
  const { counts, copies, volumes, changes, timeAfterLastStart } = manifest;
  return [
    ...output.failures(manifest.failures),
    ...output.warnings(manifest.warnings),
    ...drawWindow(manifest.window, output.columns),
    '',
    ...output.table(
      [
        ['backup', `${manifest.id} ${outcome(manifest.outcome, output)}`],
        ['created', manifest.created],
        ...(manifest.source === 'volumes'
          ? []
          : [['server', `${manifest.serverName || '(unknown)'}, ${manifest.dataDirectory}`]]),
        ['provider', `${manifest.provider.name} (${manifest.provider.reason})`],
        ['databases', describeCounts(counts)],
        ...describeIncremental(manifest.incremental, counts),
        ['deltas', `${counted(counts.deltas, 'file')}, ${formatBytes(counts.deltaBytes)}`],
        ...describeRebuilt(manifest.notices ?? []),
        ...describeAliases(manifest.aliases ?? []),
        ...describeFurther(manifest.furtherWindows ?? []),
        ['transaction log', manifest.logStyle],
        ['common time', timeAfterLastStart?.iso ?? '(none)'],
        [
          'changes',
          `${changes.appeared.length} appeared, ${changes.vanished.length} vanished, ${changes.replaced.length} replaced`,
        ],
        ['copies', copies ? `${copies.databases} in ${copies.directory}` : '(none)'],
        ...describeServerFiles(manifest.serverFiles, copies?.directory),
        ...(manifest.contents ? [['hashed', describeContents(manifest.contents)]] : []),
        ...(manifest.continuity ? [['compared with', manifest.continuity.comparedWith ?? '(first backup)']] : []),
        ...(manifest.vss ? [['snapshot set', `${manifest.vss.setId}, ${manifest.vss.context}`]] : []),
        ...volumes.map(({ path, root, kept, exposedAs }) => [
          'volume',
          `${path} → ${kept ? (exposedAs ?? root) : '(shadow removed)'}`,
        ]),
        ['made with', `${manifest.versions.package}, Node ${manifest.versions.node}, ${manifest.versions.platform}`],
      ],
      false,
    ),
  ];
}
