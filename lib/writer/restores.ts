import { join } from 'node:path';
import type { DominoLocation } from '../call/options';
import type { NativeRestoreNotice } from '../native/writer';
import { ownProgram } from '../native/package-root';
import type { RequesterRestored, UntimedEvent } from './events';
import { quoted } from './service';

/**
 * How much longer native code waits for the program that restores: the program has its own limits, and afterwards puts databases
 * back.
 */
export const restoreGraceMs = 180_000;

interface RestoreSettings {
  readonly deltaDirectory: string;
  readonly domino?: DominoLocation | undefined;
  readonly signKey?: string | undefined;
  readonly databaseBudgetMs?: number | undefined;
  readonly restoreTimeoutMs?: number | undefined;
}

export function restoreTimeout({ restoreTimeoutMs }: RestoreSettings): number {
  return restoreTimeoutMs ?? 4 * 3_600_000;
}

/** The program that restores for a requester. Native code starts it on a VSS thread. */
export function restoreCommand(settings: RestoreSettings): string {
  const { deltaDirectory, domino, signKey } = settings;
  const totalMs = restoreTimeout(settings);
  const options = {
    deltaDirectory,
    domino,
    signKey,
    waitMs: 10_000,
    databaseBudgetMs: settings.databaseBudgetMs ?? 60_000,
    timeoutMs: totalMs,
    totalMs,
  };
  const program = ownProgram(join(__dirname, '..', 'restore', 'requester-program.js'));
  return [process.execPath, program, JSON.stringify(options)].map(quoted).join(' ');
}

const types = {
  'restore-begun': 'restoring',
  'restore-refused': 'restore-refused',
  'restore-ended': 'restored',
  'restore-failed': 'restore-failed',
} as const;

export function restoreEvent({ moment, text, report }: NativeRestoreNotice): UntimedEvent {
  const type = types[moment];
  if (type === 'restoring' || type === 'restore-refused') return { type, text };
  return { type, text, report: report === '' ? null : (JSON.parse(report) as RequesterRestored) };
}
