import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { newWorkId } from '#lib/store/journal';
import type { JournalHead } from '#lib/store/journal-format';
import { journalDirectory } from '#lib/store/journals';
import { sealed } from '../../journal-text';
import type { FakeDomino } from '../fake-binding';

/** The journal of a dead process. */
export function writeDeadJournal(
  domino: FakeDomino,
  change: Partial<JournalHead>,
  lines: readonly string[] = [],
): string {
  const id = change.id ?? newWorkId();
  const head: JournalHead = {
    format: 1,
    id,
    work: 'backup',
    pid: process.pid,
    processStart: '1',
    boot: 'an earlier one',
    host: hostname(),
    created: '2026-01-01T00:00:00.000Z',
    dataDirectory: domino.dataDirectory,
    backupDirectory: '',
    provider: '',
    shadows: [],
    volumes: [],
    snapshotSet: '',
    pendingHook: '',
    hook: null,
    exposures: [],
    stoppedService: '',
    databasesInBackupMode: 0,
    copiedFiles: 0,
    restoring: [],
    restorePhase: 'replacing',
    temporaryFiles: [],
    newDirectories: [],
    ended: false,
    ...change,
  };
  mkdirSync(journalDirectory(domino.deltaDirectory), { recursive: true });
  const file = join(journalDirectory(domino.deltaDirectory), `${id}.journal`);
  writeFileSync(file, sealed([JSON.stringify(head), ...lines.map((line) => JSON.stringify(line)), ''].join('\n')));
  return file;
}
