import { join } from 'node:path';
import type { Call } from '../call/call';
import { forEachIndex, forEachLimited } from '../call/event-loop';
import type { ProgressReporter } from '../call/progress';
import { counted } from '../errors/counted';
import { databaseFailureOf, toPublicError, type DatabaseFailure } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import { hashInBackground } from '../store/background-hash';
import { hashFront } from '../store/contents';
import { FileCalls } from '../store/stall';
import type { ManifestContents } from '../store/manifest-format';
import type { BackupWork, Capture } from './capture';
import type { CapturedDatabases } from './captured';

/** What is known about the contents of a kept shadow. */
export interface KeptContents {
  readonly hashed: Omit<ManifestContents, 'copies'>;
  /** Databases that cannot be read from it. */
  readonly failures: readonly DatabaseFailure[];
  readonly warnings: readonly Warning[];
}

/** A database that has no hash, although its backup is good. */
type Unhashed = NonNullable<ManifestContents['unhashed']>[number];

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
  const unhashed: Unhashed[] = [];
  const elsewhere: Unhashed[] = [];
  const files: KeptFile[] = [];
  const check = (): void => {
    call.check();
  };
  const calls = new FileCalls({ check, budgetMs: windows[0]?.work.setup.options.databaseBudgetMs });
  for (const { work, capture } of windows) {
    const { databases, roots } = capture;
    await forEachIndex(databases.results.count, (index) => {
      const root = roots[work.databases.volumeIndex[index] ?? 0] ?? '';
      if (!databases.isCaptured(index)) return;
      const { shadowPath, startSizeBytes, path } = databases.describe(index);
      // A transportable VSS shadow has no root on this machine, and the snapshot of a hook need not have one.
      if (root === '') {
        elsewhere.push({ database: path, reason: 'its shadow cannot be read on this machine' });
        return;
      }
      files.push({ databases, index, path, file: join(root, ...shadowPath.split('/')), sizeBytes: startSizeBytes });
    });
  }
  const provider = windows[0]?.work.provider;
  const fail = ({ path, file }: KeptFile, why: string, error: unknown = new Error(why)): void => {
    // The root named by a hook need not be the shadow itself.
    if (provider?.hook) {
      unhashed.push({ database: path, reason: `${file} cannot be read: ${why}` });
      return;
    }
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
  const failed = new Set([...failures, ...unhashed].map(({ database }) => database));
  const readable = files.filter(({ path }) => !failed.has(path));
  // The kept shadows of `rolling` are copies. They are hashed here and not while they are made, because then the database is in
  // backup mode.
  const isWhole = everything || (provider?.native === 'rolling' && files.length > 0);
  // That nothing of a backup can be read here is no news, unless its hashes are asked for.
  if (everything || files.length > 0) unhashed.push(...elsewhere);
  const result = (level: ManifestContents['shadows']): KeptContents => ({
    hashed: { shadows: level, ...(unhashed.length > 0 && { unhashed }) },
    failures,
    warnings: unhashed.length > 0 ? [warnOfUnhashed(unhashed)] : [],
  });
  const front = readable.length > 0 ? 'header' : 'none';
  if (!isWhole) return result(front);
  let done = 0;
  let whole = 0;
  await hashInBackground(readable, call, (position, hashed) => {
    const kept = readable[position];
    if (kept && 'sha256' in hashed) {
      kept.databases.setContents(kept.index, { sha256: hashed.sha256 });
      whole += 1;
    } else if (kept && 'error' in hashed) fail(kept, hashed.error);
    done += 1;
    progress.report({ type: 'hash', done, total: readable.length }, done === readable.length);
  });
  return result(whole > 0 ? 'sha256' : front);
}

function warnOfUnhashed(unhashed: readonly Unhashed[]): Warning {
  const [{ database, reason } = { database: '', reason: '' }] = unhashed;
  const more = unhashed.length > 1 ? `, and ${unhashed.length - 1} more` : '';
  const message = `${counted(unhashed.length, 'database')} in the kept shadow could not be hashed: ${database}: ${reason}${more}`;
  return warning('WARN_SHADOW_NOT_HASHED', message, { subjects: unhashed.map((one) => one.database) });
}
