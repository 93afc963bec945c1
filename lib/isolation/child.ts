// The process that holds Domino for a call with `isolation: 'process'`. It serves the process that started it. When that process
// is gone, for whatever reason, it rolls back what was begun, and ends.

import type { Backup, CreateShadowOptions, EndBackupOptions } from '../backup/backup';
import { beginBackup, type BeginBackupOptions } from '../backup/begin-backup';
import { rehearse } from '../backup/rehearse';
import type { CopyDatabasesOptions, SnapshotSet } from '../backup/snapshot-set';
import { watchDeadlines } from '../call/call';
import type { ProgressListener } from '../call/progress';
import { runDoctor } from '../doctor/doctor';
import { DominoVssError, toPublicError } from '../errors/errors';
import { printable } from '../errors/printable';
import { archiveLogs } from '../logs/archive';
import { loadBinding } from '../native/binding';
import { recoverInterrupted } from '../recover/recover';
import { drillRestore } from '../restore/drill';
import { planRestore, restoreDatabases } from '../restore/restore';
import { verifyBackup } from '../restore/verify';
import type { ManifestDatabase } from '../store/manifest-format';
import type { ShadowShare } from '../vss/place';
import type { IsolatedCalls } from './isolated-call';
import { Peer, type Message } from './peer';
import type { BegunBackup, CreatedSet, Notice } from './protocol';

let begun: Backup | undefined;
let created: SnapshotSet | undefined;
/** Databases of {@link created}; they are fetched in portions. */
let described: readonly ManifestDatabase[] = [];

function backup(): Backup {
  if (!begun) throw new DominoVssError('ERR_INTERNAL', { message: 'no backup has begun in this process' });
  return begun;
}

function set(): SnapshotSet {
  if (!created) throw new DominoVssError('ERR_STATE', { message: 'the backup has no shadow' });
  return created;
}

/** A listener from the other process is a remote call. Nobody waits for it, and it may fail when the channel is closed. */
function listening<T extends { readonly onProgress?: ProgressListener | undefined }>(options: T): T {
  const tell = options.onProgress as ((progress: unknown) => Promise<unknown>) | undefined;
  if (!tell) return options;
  const onProgress: ProgressListener = (progress) => {
    tell(progress).catch(() => undefined);
  };
  return { ...options, onProgress };
}

/** A call of the backup: reports its new state before the answer. */
async function step<T>(body: () => T): Promise<Awaited<T>> {
  try {
    return await body();
  } finally {
    say({ type: 'state', warnings: backup().warnings, isOver: backup().isOver });
  }
}

const calls: { [Name in keyof IsolatedCalls]: (options: IsolatedCalls[Name][0]) => Promise<IsolatedCalls[Name][1]> } = {
  rehearse: (options) => rehearse(loadBinding, listening(options)),
  restoreDatabases: (options) => restoreDatabases(loadBinding, listening(options)),
  planRestore: (options) => planRestore(loadBinding, options),
  verifyBackup: (options) => verifyBackup(loadBinding, listening(options)),
  drillRestore: (options) => drillRestore(loadBinding, listening(options)),
  archiveLogs: (options) => archiveLogs(loadBinding, listening(options)),
  recoverInterrupted: (options) => recoverInterrupted(loadBinding, options),
  runDoctor: (options) => runDoctor(loadBinding, options),
};

const offered = {
  beginBackup: async (options: BeginBackupOptions): Promise<BegunBackup> => {
    begun = await beginBackup(loadBinding, listening(options));
    const { id, directory, provider, databases, leftOvers, recovered, warnings } = begun;
    return { id, directory, provider, databases, leftOvers, recovered, warnings };
  },
  createShadow: (options: CreateShadowOptions) =>
    step(async (): Promise<CreatedSet> => {
      created = await backup().createShadow(listening(options));
      described = [...created.describeDatabases()];
      const { id, provider, outcome, window, furtherWindows, skipped, changes, databases, vss } = created;
      const shadows = created.shadows.map(({ id, volume, devicePath, root }) => ({ id, volume, devicePath, root }));
      const windows = { window, furtherWindows };
      return { id, provider, outcome, ...windows, skipped, changes, databases, vss, created: created.created, shadows };
    }),
  describeDatabases: (_options: unknown, from: number, count: number) =>
    step(() => described.slice(from, from + count)),
  copyDatabases: (options: CopyDatabasesOptions) =>
    step(async () => {
      const report = await set().copyDatabases(listening(options));
      described = [...set().describeDatabases()];
      return report;
    }),
  expose: (_options: unknown, index: number, given: { readonly as: string | ShadowShare }) =>
    step(() => set().shadows[index]?.expose(given)),
  unexpose: (_options: unknown, index: number) => step(() => set().shadows[index]?.unexpose()),
  endBackup: (options: EndBackupOptions) => step(() => backup().endBackup(listening(options))),
  dispose: () => step(() => backup().dispose()),
  ...calls,
  finish: () => {
    void finish();
  },
};

function say(message: Message | Notice): void {
  // If the channel breaks, the process at its other end has ended, which `disconnect` reports.
  if (process.connected) process.send?.(message, () => undefined);
}

const peer = new Peer(say, offered);

/** Running calls are answered first, and the caller's hook removes a shadow that it delivered too late. */
async function finish(): Promise<void> {
  await peer.idle();
  await begun?.lateWork;
  process.disconnect();
}

/** Longest time for rolling back what the caller has left open; if that hangs, the journal names what is left. */
const takeBackMs = 180_000;

/** The channel is closed: the caller has finished or died. */
async function takeBack(): Promise<void> {
  setTimeout(() => process.exit(1), takeBackMs).unref();
  peer.end(new DominoVssError('ERR_STATE', { message: 'the calling process is gone' }));
  await peer.idle();
  if (!begun || begun.isOver) process.exit(0);
  const ended = await begun.dispose().then(
    () => 'it was rolled back',
    (error: unknown) => `it was rolled back, except for this: ${toPublicError(error).message}`,
  );
  process.stderr.write(`domino-vss: the process that began the backup ${begun.id} is gone; ${printable(ended)}\n`);
  process.exit(1);
}

process.on('message', (message: Message) => {
  peer.receive(message);
});
process.once('disconnect', () => void takeBack());
watchDeadlines((timeoutMs) => {
  say({ type: 'deadline', timeoutMs });
});
process.removeAllListeners('warning').on('warning', (warning: NodeJS.ErrnoException) => {
  say({ type: 'warning', message: warning.message, code: warning.code ?? '' });
});
// Signals that end programs reach the caller too, which decides what to do. SIGUSR1 would open the debugger of Node.js.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK', 'SIGQUIT', 'SIGUSR1'] as const) {
  const isOfThisSystem = process.platform === 'win32' ? !/QUIT|USR1/.test(signal) : signal !== 'SIGBREAK';
  if (isOfThisSystem) process.on(signal, () => undefined);
}
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
