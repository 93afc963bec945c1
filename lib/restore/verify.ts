import { join } from 'node:path';
import { checkShadows, type HookShadow } from '../backup/provider';
import { Call, publicCall } from '../call/call';
import { forEachLimited } from '../call/event-loop';
import {
  abortSignal,
  absolutePath,
  boolean,
  checkOptions,
  dominoLocation,
  functionValue,
  isolationOption,
  milliseconds,
  type DominoLocation,
  type Isolation,
} from '../call/options';
import { ProgressReporter, type ProgressListener } from '../call/progress';
import { databaseFailureOf, decidedFailure, type DatabaseFailure } from '../errors/errors';
import type { ErrorCode } from '../errors/codes';
import type { NativeBinding } from '../native/session';
import {
  examineDelta,
  examineFront,
  expectedOfCopy,
  expectedOfShadow,
  whyUnreadable,
  type ExpectedContents,
} from '../store/contents';
import { hashFile } from '../store/copy';
import { holderOf, loadLinks, type BackupHead, type Chain } from '../store/chain';
import { databasesOf, loadManifest } from '../store/manifest';
import type { FileCalls } from '../store/stall';
import { readingCallsOf, patienceOf } from '../recover/tools';
import type { ManifestDatabase } from '../store/manifest-format';
import { readVerifyingKey } from '../store/signature';
import { shadowOf } from '../vss/kept-roots';
import { openRuntime } from '../domino/runtime';
import { newWorkId } from '../store/journal';
import { openScratchCopy, withScratchDirectory, type ScratchTools } from './scratch-copy';
import { verifyServerFiles, type VerifiedServerFile } from './server-files';
import { shadowRoots, type ShadowRoots } from './sources';

/** Options of `verifyBackup`. */
export interface VerifyBackupOptions {
  /** Absolute path of a manifest, or of the directory of its backup. */
  readonly manifest: string;
  /** Absolute directory of the copies, if they are not where the manifest says. */
  readonly copiesDirectory?: string | undefined;
  /**
   * Where shadows can be read now, if they were taken outside this package, between hold and release, or were moved.
   * Default: where the manifest says.
   */
  readonly shadowRoots?: readonly HookShadow[] | undefined;
  /**
   * Also applies the change information of each database to a copy, opens the copy and removes it. Needs the Domino runtime,
   * and space for the two largest databases in the delta directory. Default: false.
   */
  readonly apply?: boolean | undefined;
  /** For `apply`: where Domino is. Default: searched for in the environment and in the standard locations. */
  readonly domino?: DominoLocation | undefined;
  /** Longest time for one call on a file and, for `apply`, on a database. Default: 60 000. */
  readonly databaseBudgetMs?: number | undefined;
  /** Absolute path of an Ed25519 public key (PEM): the backup must be signed with its private key. Default: no signature is required. */
  readonly requireSignature?: string | undefined;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
  /** Which process loads Domino: this one (`none`, the default), or one started for this call (`process`). */
  readonly isolation?: Isolation | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/**
 * `verified`: every byte is as it was backed up. `not-hashed`: size, signature and, if the manifest contains it, the header are
 * right; no more can be checked. `damaged`: something differs from the backup. `none`: the backup has no such part.
 */
export type VerifiedState = 'verified' | 'not-hashed' | 'damaged' | 'none';

/** The result of `verifyBackup` for one database. */
export interface VerifiedDatabase {
  /** Path relative to the data directory. */
  readonly database: string;
  /** Id of the earlier backup that contains it, if an incremental backup was verified; empty for the backup itself. */
  readonly from: string;
  readonly copy: VerifiedState;
  /** Its file in the kept shadow. */
  readonly shadow: VerifiedState;
  /** Its change information. */
  readonly delta: VerifiedState;
  /**
   * Whether a copy, with the change information applied, could be opened; `none` if that was not requested or damage had already
   * been found.
   */
  readonly applied: 'opened' | 'damaged' | 'none';
  /**
   * Whether it can be restored. `damaged`: one of the above is, or the backup has neither a copy nor a shadow of it.
   * `not-hashed`: no hash proves the contents that a restore would use.
   */
  readonly result: Exclude<VerifiedState, 'none'>;
  /** What is wrong; empty if nothing is. */
  readonly failures: readonly DatabaseFailure[];
}

/** The result of `verifyBackup`. */
export interface VerifyReport {
  readonly backupId: string;
  /** `damaged` if a database or a server file is damaged. */
  readonly outcome: 'intact' | 'damaged';
  /** Whether a signature was required. A missing or wrong signature is an error. */
  readonly signature: 'valid' | 'not checked';
  readonly counts: { readonly verified: number; readonly notHashed: number; readonly damaged: number };
  /**
   * Number of logged databases that an incremental backup carried over. Their state at this backup is in the transaction log,
   * which is not checked here; `planRestore` reports whether it exists.
   */
  readonly onLog: number;
  readonly databases: readonly VerifiedDatabase[];
  /** Copies of notes.ini and of ID files; empty if the backup has none. */
  readonly serverFiles: readonly VerifiedServerFile[];
}

export function verifyBackup(loadBinding: () => NativeBinding, options: VerifyBackupOptions): Promise<VerifyReport> {
  return publicCall(async () => {
    checkOptions(options, {
      manifest: absolutePath,
      copiesDirectory: absolutePath,
      shadowRoots: checkShadows,
      apply: boolean,
      domino: dominoLocation,
      databaseBudgetMs: milliseconds,
      requireSignature: absolutePath,
      timeoutMs: milliseconds,
      isolation: isolationOption,
      signal: abortSignal,
      onProgress: functionValue,
    });
    absolutePath(options.manifest, 'manifest');
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 86_400_000, phase: 'restore' });
    const { requireSignature, databaseBudgetMs: budgetMs = 60_000 } = options;
    const calls = readingCallsOf({ call, budgetMs });
    const key =
      requireSignature === undefined
        ? undefined
        : await calls.wait('read', requireSignature, readVerifyingKey(requireSignature, 'requireSignature'));
    const head = await calls.wait('read', options.manifest, loadManifest(options.manifest, key));
    const found: ManifestDatabase[] = [];
    for await (const database of databasesOf(head, calls)) found.push(database);
    const chain = { head, links: await calls.wait('read', head.directory, loadLinks(head, key)) };
    const roots = await shadowRoots(loadBinding, chain, options.shadowRoots ?? [], call);
    const { apply = false, domino } = options;
    if (apply) await openRuntime(loadBinding(), domino, call);
    const tools = (): ScratchTools => ({ binding: loadBinding(), call, budgetMs });
    const verification = new Verification(chain, options.copiesDirectory, roots, call, budgetMs);
    const progress = new ProgressReporter(options.onProgress, call);
    const databases: VerifiedDatabase[] = [];
    const examineAll = (applying?: ApplyTools): Promise<void> =>
      forEachLimited([...found.keys()], 2, async (index) => {
        const database = found[index];
        if (!database) return;
        databases[index] = await verification.examine(database, applying);
        const done = databases.length;
        progress.report({ type: 'verify', done, total: found.length }, done === found.length);
      });
    if (!apply) await examineAll();
    else
      await withScratchDirectory(head.directory, newWorkId(), tools(), (directory) =>
        examineAll({ ...tools(), directory }),
      );
    const count = (result: VerifiedDatabase['result']): number =>
      databases.filter((database) => database.result === result).length;
    const serverFiles = await verifyServerFiles(head, options.copiesDirectory, patienceOf({ call, budgetMs }));
    const isDamaged = serverFiles.some(({ result }) => result === 'damaged');
    const counts = { verified: count('verified'), notHashed: count('not-hashed'), damaged: count('damaged') };
    return {
      backupId: head.id,
      outcome: counts.damaged > 0 || isDamaged ? 'damaged' : 'intact',
      signature: key ? 'valid' : 'not checked',
      counts,
      onLog: found.filter(({ logged, from }) => logged && from !== undefined).length,
      databases,
      serverFiles,
    };
  });
}

/** Examines the databases of one backup. */
class Verification {
  #applied = 0;
  readonly #calls: FileCalls;

  constructor(
    private readonly chain: Chain,
    private readonly copiesDirectory: string | undefined,
    private readonly roots: ShadowRoots,
    private readonly call: Call,
    private readonly budgetMs: number,
  ) {
    this.#calls = readingCallsOf({ call, budgetMs });
  }

  async examine(database: ManifestDatabase, applying?: ApplyTools): Promise<VerifiedDatabase> {
    const failures: DatabaseFailure[] = [];
    const fail = (code: ErrorCode, text: string, error?: unknown): VerifiedState => {
      failures.push(
        error === undefined
          ? decidedFailure(database.path, code, 'restore', text)
          : databaseFailureOf(database.path, 'restore', error, { code, text }),
      );
      return 'damaged';
    };
    const holder = holderOf(database, this.chain);
    if (typeof holder === 'string') {
      fail('ERR_BACKUP_CHAIN', holder);
      const nothing = { copy: 'none', shadow: 'none', delta: 'none', applied: 'none' } as const;
      return { database: database.path, from: database.from ?? '', ...nothing, result: 'damaged', failures };
    }
    const copy = await this.#copy(database, holder, fail);
    const shadow = await this.#shadow(database, holder, fail);
    const delta = await this.#delta(database, holder, fail);
    if (copy === 'none' && shadow === 'none') fail('ERR_RESTORE_SOURCE', 'neither a copy nor a shadow of it was kept');
    const applied =
      applying && failures.length === 0 ? await this.#apply(database, holder, applying, failures) : 'none';
    // A restore uses the copy if there is one.
    const taken = copy === 'none' ? shadow : copy;
    const isProven = taken === 'verified';
    const result = failures.length > 0 ? 'damaged' : isProven ? 'verified' : 'not-hashed';
    return { database: database.path, from: database.from ?? '', copy, shadow, delta, applied, result, failures };
  }

  /** Applies it as a restore would. */
  async #apply(
    database: ManifestDatabase,
    holder: BackupHead,
    tools: ApplyTools,
    failures: DatabaseFailure[],
  ): Promise<VerifiedDatabase['applied']> {
    const copies = this.#copiesOf(holder);
    const shadow = shadowOf(database, holder);
    const root = shadow && this.roots.get(shadow.id);
    const fromCopy = database.copy && copies !== undefined ? join(copies, database.copy.file) : undefined;
    const source = fromCopy ?? join(root ?? '', database.shadowPath);
    const isApplied = fromCopy !== undefined || database.appliedInShadow === true;
    const delta = isApplied || database.delta === '' ? '' : join(holder.directory, database.delta);
    try {
      this.#applied += 1;
      // The hash of the contents has been compared before.
      const known = { database, source, delta, pieceBytes: holder.pieceBytes, contents: { sha256: undefined } };
      await openScratchCopy(known, join(tools.directory, `${this.#applied}.nsf`), tools);
      return 'opened';
    } catch (error) {
      this.#check();
      failures.push(databaseFailureOf(database.path, 'restore', error));
      return 'damaged';
    }
  }

  /** The named directory belongs to one backup only. */
  #copiesOf(holder: BackupHead): string | undefined {
    return (holder === this.chain.head ? this.copiesDirectory : undefined) ?? holder.copies?.directory;
  }

  async #copy(database: ManifestDatabase, holder: BackupHead, fail: Fail): Promise<VerifiedState> {
    const copies = this.#copiesOf(holder);
    if (!database.copy || copies === undefined) return 'none';
    return this.#contents(join(copies, database.copy.file), expectedOfCopy(database), fail);
  }

  async #shadow(database: ManifestDatabase, holder: BackupHead, fail: Fail): Promise<VerifiedState> {
    const shadow = shadowOf(database, holder);
    const root = shadow && this.roots.get(shadow.id);
    if (root === undefined && !shadow?.kept) return 'none';
    if (root === undefined) {
      const where = shadow?.root === '' ? 'elsewhere (--shadow-root)' : 'gone';
      return fail('ERR_RESTORE_SOURCE', `its shadow of ${database.volume} is ${where}`);
    }
    return this.#contents(join(root, database.shadowPath), expectedOfShadow(database), fail);
  }

  async #delta(database: ManifestDatabase, holder: BackupHead, fail: Fail): Promise<VerifiedState> {
    if (database.delta === '') return 'none';
    const file = join(holder.directory, database.delta);
    try {
      const wrong = await examineDelta(file, database, { check: this.#check, budgetMs: this.budgetMs });
      return wrong === undefined ? 'verified' : fail('ERR_DELTA_DAMAGED', `${file} ${wrong}`);
    } catch (error) {
      this.#check();
      return fail('ERR_RESTORE_SOURCE', whyUnreadable(file, error), error);
    }
  }

  async #contents(file: string, expected: ExpectedContents, fail: Fail): Promise<VerifiedState> {
    this.#check();
    try {
      const wrong = await this.#calls.wait('read', file, examineFront(file, expected));
      if (wrong !== undefined) return fail('ERR_CONTENTS_DAMAGED', `${file} ${wrong}`);
      if (expected.sha256 === undefined) return 'not-hashed';
      const sha256 = await hashFile(file, {
        check: this.#check,
        sizeBytes: expected.sizeBytes,
        budgetMs: this.budgetMs,
      });
      if (sha256 === expected.sha256) return 'verified';
      return fail('ERR_CONTENTS_DAMAGED', `${file} has a different SHA-256 from the one in the manifest`);
    } catch (error) {
      this.#check();
      return fail('ERR_RESTORE_SOURCE', whyUnreadable(file, error), error);
    }
  }

  readonly #check = (): void => {
    this.call.check();
  };
}

/** What opening copies needs, and where to make them. */
type ApplyTools = ScratchTools & { readonly directory: string };

type Fail = (code: ErrorCode, text: string, error?: unknown) => VerifiedState;
