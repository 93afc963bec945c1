import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { warning, type Warning } from '../errors/warnings';
import type { NativeBinding } from '../native/session';
import { directoryRisk } from '../store/safe-directory';
import type { FileCalls } from '../store/stall';
import type { PlannedDatabase } from './plan';

/**
 * Warns about directories of the backup that ordinary users of Windows own or can write to: they could have changed what is
 * restored. No refusal, because a backup may have been moved to any place; whoever must be sure requires its signature. On Linux,
 * a restore by root from a backup by another user is usual.
 */
export async function warnOfSources(
  binding: NativeBinding,
  deltaDirectory: string,
  planned: readonly PlannedDatabase[],
  calls: FileCalls,
): Promise<Warning[]> {
  if (!binding.directoryAccess) return [];
  const warnings: Warning[] = [];
  for (const directory of new Set([deltaDirectory, ...planned.flatMap(copiesOf)])) {
    const real = await calls.wait('realpath', directory, realpath(directory));
    const risk = await calls.wait('stat', real, directoryRisk(real, binding));
    if (risk.warning) warnings.push(risk.warning);
    if (risk.refusal !== '') warnings.push(warning('WARN_DIRECTORY_SHARED', risk.refusal, { subjects: [real] }));
  }
  return warnings;
}

/** The directory of the copies that a database is restored from, if it is restored from one. */
function copiesOf({ source, database: { copy } }: PlannedDatabase): string[] {
  const file = copy && sep + copy.file.split('/').join(sep);
  return file !== undefined && source.endsWith(file) ? [source.slice(0, -file.length)] : [];
}
