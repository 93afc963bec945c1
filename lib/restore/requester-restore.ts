import { realpath, stat, truncate } from 'node:fs/promises';
import { Call } from '../call/call';
import { forEachLimited } from '../call/event-loop';
import { undefinedWhereMissing } from '../call/files';
import type { DominoLocation } from '../call/options';
import { openRuntime } from '../domino/runtime';
import { findNotesIni, readDataDirectory } from '../domino/environment';
import type { Innards } from '../domino/timedate';
import { counted } from '../errors/counted';
import type { ErrorCode } from '../errors/codes';
import { alreadyOffline, noExist } from '../domino/status';
import {
  databaseFailureOf,
  decidedFailure,
  isNativeFailure,
  RestoreError,
  type DatabaseFailure,
} from '../errors/errors';
import type { NativeBinding } from '../native/session';
import { hasUnreturned } from '../call/unreturned-calls';
import { recoverAll } from '../recover/recover';
import { fileCallsOf, patienceOf } from '../recover/tools';
import { FileCalls, untiring } from '../store/stall';
import { syncFile } from '../store/copy';
import { lockDataDirectory } from '../store/data-directory-lock';
import { compareIdentity, identityOf } from '../store/file-identity';
import { Journal, newWorkId } from '../store/journal';
import type { LeftOver } from '../store/left-over';
import type { Manifest } from '../store/manifest';
import { filesLeftOffline, recoverHandedOver, settleLeftOffline, type HandedOver } from './handed-over';
import { planForRequester, type RequestedComponent, type RequesterPlan } from './requester-plan';

/** What a restore for a requester needs to know from the writer. */
export interface RequesterRestoreOptions {
  readonly deltaDirectory: string;
  readonly domino?: DominoLocation | undefined;
  /** The private key with which the writer signs its manifests: then only manifests with this signature are trusted. */
  readonly signKey?: string | undefined;
  /** How long to wait for users who have a database open. */
  readonly waitMs: number;
  readonly databaseBudgetMs: number;
  /** Longest time for each of the two events. */
  readonly timeoutMs: number;
}

/** What the requester reports about the files of a component: `IVssComponent::GetFileRestoreStatus`. */
export type FilesRestored = 'all' | 'none' | 'failed';

export interface RequesterRestoreReport {
  readonly backupId: string;
  /** Paths of the databases restored to their state at the backup. */
  readonly restored: readonly string[];
  /** Paths of the databases whose files the requester did not replace: they are unchanged. */
  readonly untouched: readonly string[];
  /** Databases that stay offline have `ERR_RESTORE_NOT_PUT_BACK`. */
  readonly failures: readonly (DatabaseFailure & { readonly component: number })[];
}

/**
 * A restore in which a VSS requester puts the files into place. The databases go offline first. Afterwards, those that were
 * replaced get their change information, are recovered to the time of the backup, and go online; the others go online unchanged.
 * A database that was replaced but could not be finished stays offline and is named in the journal: without its change
 * information it may be torn.
 */
export class RequesterRestore {
  readonly #binding: NativeBinding;
  readonly #options: RequesterRestoreOptions;
  readonly #databases: readonly HandedOver[];
  readonly #head: Manifest;
  readonly #pointInTime: Innards | undefined;
  readonly #journal: Journal;
  readonly #leftOvers: readonly LeftOver[];

  private constructor(
    binding: NativeBinding,
    options: RequesterRestoreOptions,
    { head, databases, pointInTime }: RequesterPlan,
    journal: Journal,
    leftOvers: readonly LeftOver[],
  ) {
    this.#binding = binding;
    this.#options = options;
    this.#databases = databases;
    this.#head = head;
    this.#pointInTime = pointInTime;
    this.#journal = journal;
    this.#leftOvers = leftOvers;
  }

  /** Takes the databases of the components offline, all or none. */
  static async begin(
    binding: NativeBinding,
    options: RequesterRestoreOptions,
    components: readonly RequestedComponent[],
  ): Promise<RequesterRestore> {
    const call = new Call({ timeoutMs: options.timeoutMs, phase: 'restore' });
    const dataDirectory = readDataDirectory(findNotesIni(options.domino));
    const plan = await planForRequester(options, dataDirectory, components, call);
    await openRuntime(binding, options.domino, call);
    const { databaseBudgetMs: budgetMs } = options;
    const given = options.deltaDirectory;
    const deltaDirectory = await fileCallsOf({ call, budgetMs }).wait('realpath', given, realpath(given));
    const lock = await lockDataDirectory(binding, { dataDirectory, deltaDirectory }, call);
    const work = { id: newWorkId(), work: 'restore', dataDirectory, backupDirectory: '' } as const;
    const { journal, leftOvers } = await Journal.open({
      ...work,
      deltaDirectory,
      lock,
      // It is written after the deadline, too.
      patience: { ...untiring, budgetMs },
    });
    const restore = new RequesterRestore(binding, options, plan, journal, leftOvers);
    try {
      const tools = { binding, call, budgetMs, dryRun: false, service: undefined, hook: undefined };
      const recovering = { ...tools, openRuntime: () => Promise.resolve() };
      await recoverAll(leftOvers, recovering, { dataDirectory, deltaDirectory });
      await restore.#takeOffline(call);
    } catch (error) {
      await restore.#undo(error);
      throw error;
    }
    return restore;
  }

  get databases(): number {
    return this.#databases.length;
  }

  /** The requester has put the files into place, or reports that it has not. Call once. */
  finish(statusOf: (component: number) => FilesRestored): Promise<RequesterRestoreReport> {
    return this.#end(statusOf);
  }

  /**
   * The requester is gone, and it is not known which files it has written completely. Call once, and not after {@link finish}.
   */
  giveUp(): Promise<RequesterRestoreReport> {
    return this.#end(() => 'none');
  }

  /** For calls on files: the outcome of each must be known, after an abort too. */
  #callsOf(call: Call): FileCalls {
    return fileCallsOf({ call, budgetMs: this.#options.databaseBudgetMs });
  }

  async #takeOffline(call: Call): Promise<void> {
    const known = filesLeftOffline(this.#leftOvers);
    const calls = this.#callsOf(call);
    for (const one of this.#databases) one.before = await calls.wait('lstat', one.file, identityOrNone(one.file));
    await this.#writeJournal(this.#databases);
    for (const one of this.#databases) {
      if (one.before === '') continue;
      one.offline = true;
      await this.#takeOneOffline(one, known, call);
      // The call may have written to the file.
      one.before = await calls.wait('lstat', one.file, identityOrNone(one.file));
      one.changedBefore = await calls.wait('stat', one.file, changeOf(one.file));
    }
    await this.#writeJournal(this.#databases);
  }

  /**
   * The requester has not been told to begin, so the databases that we took offline are whole. The others have their own journal.
   */
  async #undo(cause: unknown): Promise<void> {
    const stuck: HandedOver[] = [];
    let why = '';
    for (const one of this.#databases.filter(({ offline, isDoubtful }) => offline && !isDoubtful)) {
      try {
        await this.#bringOnline(one);
      } catch (error) {
        stuck.push(one);
        why = databaseFailureOf(one.database.path, 'restore', error).text;
      }
    }
    await this.#finishJournal(stuck, new Set());
    if (stuck.length === 0) return;
    const message = `${counted(stuck.length, 'database')} may be offline, the first is ${stuck[0]?.database.path ?? ''}: ${why}`;
    throw new RestoreError('ERR_RESTORE_NOT_PUT_BACK', { message, phase: 'restore', cause });
  }

  async #takeOneOffline(one: HandedOver, known: ReadonlySet<string>, call: Call): Promise<void> {
    const { file } = one;
    const { waitMs, databaseBudgetMs } = this.#options;
    const bound = { budgetMs: waitMs + databaseBudgetMs, operation: 'NSFTakeDatabaseOffline', subject: file };
    try {
      await call.bounded(this.#binding.takeDatabaseOffline({ file, waitMs }), bound);
    } catch (error) {
      if (isNativeFailure(error) && error.status === alreadyOffline && known.has(file)) {
        one.isDoubtful = true;
        return;
      }
      // If the call did not answer, the database may still go offline.
      if (isNativeFailure(error) && error.domain === 'domino') one.offline = false;
      if (isNativeFailure(error) && error.status === noExist) {
        const found = await this.#callsOf(call).wait('lstat', file, identityOrNone(file));
        if (found === '') return;
      }
      throw error;
    }
  }

  async #end(statusOf: (component: number) => FilesRestored): Promise<RequesterRestoreReport> {
    const call = new Call({ timeoutMs: this.#options.timeoutMs, phase: 'restore' });
    const known = filesLeftOffline(this.#leftOvers);
    const calls = this.#callsOf(call);
    const failures: RequesterRestoreReport['failures'][number][] = [];
    const stuck: HandedOver[] = [];
    const fail = (one: HandedOver, failure: DatabaseFailure): void => {
      failures.push({ ...failure, component: one.component });
      stuck.push(one);
    };
    const untouched: HandedOver[] = [];
    const replaced: HandedOver[] = [];
    await forEachLimited(this.#databases, 4, async (one) => {
      try {
        const { file, before } = one;
        const looking = before === '' ? identityOrNone(file) : compareIdentity(file, before);
        const found = await calls.wait('lstat', file, looking);
        // A file that was copied again, with its times, looks unchanged. This cannot be a live database: it was left unfinished.
        const isCopiedAgain =
          one.isDoubtful && found === 'same' && (await calls.wait('stat', file, changeOf(file))) !== one.changedBefore;
        if (one.isDoubtful && !isCopiedAgain && (found === 'same' || found === 'missing')) {
          fail(
            one,
            because(one, 'ERR_RESTORE_NOT_PUT_BACK', 'an earlier restore left it unfinished; it stays offline'),
          );
        } else if (found === '' || (found === 'same' && !isCopiedAgain)) untouched.push(one);
        else if (found === 'missing') {
          fail(one, because(one, 'ERR_RESTORE_SOURCE', 'the requester removed it and did not put it back'));
        } else if (statusOf(one.component) !== 'all') {
          fail(
            one,
            because(
              one,
              'ERR_RESTORE_NOT_PUT_BACK',
              'the requester began to replace it but did not report it as complete; it stays offline',
            ),
          );
        } else {
          if (!one.offline) {
            one.offline = true;
            await this.#takeOneOffline(one, known, call);
          }
          await this.#applyChangeInfo(one, call, calls);
          replaced.push(one);
        }
      } catch (error) {
        fail(one, databaseFailureOf(one.database.path, 'restore', error));
      }
    });
    const logged = replaced.filter(({ database }) => database.logged);
    const tools = { binding: this.#binding, call, budgetMs: this.#options.databaseBudgetMs };
    await recoverHandedOver(tools, logged, this.#pointInTime, (refused, failureOf) => {
      for (const one of refused) fail(one, failureOf(one));
    });
    const restored: HandedOver[] = [];
    for (const one of [...replaced, ...untouched]) {
      if (stuck.includes(one)) continue;
      try {
        if (one.offline) await this.#bringOnline(one);
        if (replaced.includes(one)) restored.push(one);
      } catch (error) {
        fail(one, databaseFailureOf(one.database.path, 'restore', error));
      }
    }
    await this.#finishJournal(stuck, new Set(restored.map(({ file }) => file)));
    const paths = (ones: readonly HandedOver[]): string[] => ones.map(({ database }) => database.path).sort();
    return {
      backupId: this.#head.id,
      restored: paths(restored),
      untouched: paths(untouched.filter((one) => !stuck.includes(one))),
      failures,
    };
  }

  /** Applies it to the file at its place, which is a copy of what the requester keeps, and can be restored again. */
  async #applyChangeInfo({ database, file, delta }: HandedOver, call: Call, calls: FileCalls): Promise<void> {
    const { size } = await calls.wait('stat', file, stat(file));
    if (size < database.startSizeBytes) {
      const message = `it has ${counted(size, 'byte')}, fewer than the ${database.startSizeBytes} of the backup`;
      throw new RestoreError('ERR_RESTORE_SOURCE', { message, phase: 'restore' });
    }
    await calls.wait('truncate', file, truncate(file, database.startSizeBytes));
    const { databaseBudgetMs: budgetMs } = this.#options;
    if (delta !== '') {
      const applying = this.#binding.applyChangeInfo({
        copyFile: file,
        deltaFile: delta,
        announcedBytes: database.announcedBytes,
        pieceBytes: this.#head.pieceBytes,
        ...(database.irregularPieces && { irregularPieces: Uint32Array.from(database.irregularPieces) }),
      });
      await call.bounded(applying, { budgetMs, operation: 'NSFBackupApplyNextChangeInfo', subject: file });
    }
    await syncFile(file, patienceOf({ call, budgetMs }));
  }

  async #bringOnline(one: HandedOver): Promise<void> {
    const { file } = one;
    const budgetMs = this.#options.databaseBudgetMs;
    // It has a time limit of its own, because that of the event may have passed.
    const patient = new Call({ timeoutMs: 2 * budgetMs, phase: 'restore' });
    const bound = { budgetMs, operation: 'NSFBringDatabaseOnline', subject: file };
    await patient.bounded(this.#binding.bringDatabaseOnline({ file }), bound);
    one.offline = false;
  }

  #writeJournal(databases: readonly HandedOver[], ended = false): Promise<void> {
    const restoring = databases.map(({ file, before, isDoubtful }) => ({
      file,
      original: '',
      temporary: '',
      offline: true,
      hadOriginal: before !== '',
      // No file matches an empty identity: it must not go online just because it was not replaced.
      copy: isDoubtful ? '' : before,
    }));
    // A call that takes effect later would change what a recovery does now.
    const hanging = databases.map(({ file }) => file).filter((file) => hasUnreturned([file]));
    return this.#journal.update({ restoring, restorePhase: 'handed-over', ...(ended && { ended, hanging }) });
  }

  async #finishJournal(stuck: readonly HandedOver[], restored: ReadonlySet<string>): Promise<void> {
    const { databaseBudgetMs: budgetMs } = this.#options;
    const calls = new FileCalls({ ...untiring, budgetMs });
    await settleLeftOffline(this.#leftOvers, new Set([...restored, ...stuck.map(({ file }) => file)]), calls);
    if (stuck.length === 0) await this.#journal.remove();
    else await this.#writeJournal(stuck, true);
  }
}

function because({ database }: HandedOver, code: ErrorCode, text: string): DatabaseFailure {
  return decidedFailure(database.path, code, 'restore', text);
}

/** NTFS and Linux set it at each write, whatever times a program gives a file afterwards. */
async function changeOf(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(undefinedWhereMissing);
  return found === undefined ? '' : String(found.ctimeNs);
}

async function identityOrNone(file: string): Promise<string> {
  return (await identityOf(file).catch(undefinedWhereMissing)) ?? '';
}
