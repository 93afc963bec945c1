import { isAbsolute } from 'node:path';
import { BackupError, decidedFailure, type DatabaseFailure } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import type { Selector } from '../domino/selection';
import { relativePath } from '../domino/databases';
import { describeItem, describeUnrecovered, warnOfUnrecovered, type RecoveredWork } from '../recover/report';
import { warnOfUnusable, type UnusableJournal } from '../store/journals';

/** ERR_BACKUP_ALREADY_IN_PROGRESS */
const alreadyInProgress = 0x0ea4;

/** Warnings about interrupted work: what was cleaned up, and what was not. */
export function recoveryWarnings(
  works: readonly RecoveredWork[],
  unusable: readonly UnusableJournal[],
): readonly Warning[] {
  return [
    ...works.flatMap((recovered) => {
      if (!recovered.done) return [warnOfUnrecovered(recovered)];
      const { work, id } = recovered.leftOver;
      const done = recovered.items.filter(({ result }) => result === 'done').map(describeItem);
      const message = `the interrupted ${work} ${id} was cleaned up: ${done.join('; ')}`;
      return done.length === 0 ? [] : [warning('WARN_WORK_RECOVERED', message, { subjects: [id] })];
    }),
    ...unusable.map(warnOfUnusable),
  ];
}

/**
 * Databases whose original is beside its place, or of which it is unknown which file is the right one: until this is decided, no
 * backup is complete.
 */
export function databasesAside(
  works: readonly RecoveredWork[],
  dataDirectory: string,
  selector: Selector,
): readonly DatabaseFailure[] {
  const rules = selector.rulesFor({ aliases: [] });
  return works
    .flatMap(({ items }) => items)
    .filter(({ thing, result }) => thing === 'database' && result === 'left')
    .map((item) => ({ item, path: relativePath(item.subject, dataDirectory) }))
    .filter(({ path }) => isAbsolute(path) || rules.leaveOut(path) === undefined)
    .map(({ item, path }) => decidedFailure(path, 'ERR_ORIGINAL_ASIDE', 'find', describeItem(item)));
}

/**
 * If databases failed because they were already in backup mode, the error also names the dead backup of ours that left them so.
 */
export function withCauses(works: readonly RecoveredWork[], body: () => void): void {
  try {
    body();
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    const { code, message, phase, cause, failures } = error;
    const causes = works.filter(({ items }) =>
      items.some(({ thing, result }) => thing === 'backup-mode' && result === 'left'),
    );
    if (causes.length === 0 || !failures.some(({ status }) => status === alreadyInProgress)) throw error;
    const said = [message, ...causes.map(describeUnrecovered)].join('; ');
    throw new BackupError(code, { message: said, phase, cause }, failures);
  }
}
