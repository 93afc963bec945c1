import { join } from 'node:path';
import type { Call } from '../call/call';
import { forEachIndex, forEachLimited } from '../call/event-loop';
import type { ProgressReporter } from '../call/progress';
import { databaseFailureOf, toPublicError, type DatabaseFailure } from '../errors/errors';
import { hashInBackground } from '../store/background-hash';
import { hashFront } from '../store/contents';
import { FileCalls } from '../store/stall';
import type { ManifestContents } from '../store/manifest-format';
import type { BackupWork, Capture } from './capture';
import type { CapturedDatabases } from './captured';

/** What is known about the contents of a kept shadow. */
export interface KeptContents {
  readonly hashed: ManifestContents['shadows'];
  /** Databases that cannot be read from it. */
  readonly failures: readonly DatabaseFailure[];
}

/** A database in a kept shadow. */
interface KeptFile {
  readonly databases: CapturedDatabases;
  /** Index in its window. */
  readonly index: number;
  readonly path: string;
  readonly file: string;
  readonly sizeBytes: number;
}

/** A window whose shadows are kept. */
interface KeptWindow {
  readonly work: BackupWork;
  readonly capture: Capture;
}

/** Hashes the databases of a kept shadow: their headers or, on request, all their bytes. */
export async function hashKept(
  windows: readonly KeptWindow[],
  everything: boolean,
  call: Call,
  progress: ProgressReporter,
): Promise<KeptContents> {
  const failures: DatabaseFailure[] = [];
  const files: KeptFile[] = [];
  const check = (): void => {
    call.check();
  };
  const calls = new FileCalls({ check, budgetMs: windows[0]?.work.setup.options.databaseBudgetMs });
  for (const { work, capture } of windows) {
    const { databases, roots } = capture;
    await forEachIndex(databases.results.count, (index) => {
      const root = roots[work.databases.volumeIndex[index] ?? 0] ?? '';
      // A transportable VSS shadow has no root on this machine.
      if (root === '' || !databases.isCaptured(index)) return;
      const { shadowPath, startSizeBytes, path } = databases.describe(index);
      files.push({ databases, index, path, file: join(root, ...shadowPath.split('/')), sizeBytes: startSizeBytes });
    });
  }
  const provider = windows[0]?.work.provider;
  const fail = ({ path, file }: KeptFile, why: string, error: unknown = new Error(why)): void => {
    // The root named by a hook need not be the shadow itself.
    if (provider?.hook) return;
    const text = `${file} cannot be read in the shadow: ${why}`;
    failures.push(databaseFailureOf(path, 'end', error, { code: 'ERR_COPY', text }));
  };
  await forEachLimited(files, 4, async (kept) => {
    call.check();
    try {
      const headerSha256 = await calls.wait('read', kept.file, hashFront(kept.file, kept.sizeBytes));
      kept.databases.setContents(kept.index, { headerSha256 });
    } catch (error) {
      call.check();
      fail(kept, toPublicError(error).message, error);
    }
  });
  if (files.length === 0) return { hashed: 'none', failures };
  // The kept shadows of `rolling` are copies. They are hashed here and not while they are made, because then the database is in
  // backup mode.
  if (!everything && provider?.native !== 'rolling') return { hashed: 'header', failures };
  const failed = new Set(failures.map(({ database }) => database));
  const readable = files.filter(({ path }) => !failed.has(path));
  let done = 0;
  await hashInBackground(readable, call, (position, result) => {
    const kept = readable[position];
    if (kept && 'sha256' in result) kept.databases.setContents(kept.index, { sha256: result.sha256 });
    else if (kept && 'error' in result) fail(kept, result.error);
    done += 1;
    progress.report({ type: 'hash', done, total: readable.length }, done === readable.length);
  });
  return { hashed: 'sha256', failures };
}
