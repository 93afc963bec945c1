import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { readdir, realpath, rename, rm, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { open, undefinedWhereMissing } from '../call/files';
import { checkLine, checkLineBytes, isInTheWay, parseHead, type JournalHead, type JournalWork } from './journal-format';
import { leftOverOf, type LeftOver } from './left-over';
import { linesOf } from './lines';
import { isAlive, isOfThisHost, isRunning, ownIdentity } from './process-identity';
import { directoryRisk } from './safe-directory';
import { stateDirectory } from './state-directory';
import { loadBinding } from '../native/binding';
import type { NativeBinding } from '../native/session';
import { FileSystemError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';

/** A journal that cannot be used, so that nothing is known about what it names. */
export interface UnusableJournal {
  readonly journal: string;
  /** What is wrong with it, in words. */
  readonly reason: string;
  /** The path to which it was moved; empty if it stays in place, because it belongs to another host, may be forged or cannot be moved. */
  readonly movedTo: string;
  /**
   * It may belong to running work: it is of another host, could not be read this time, or is where others can write. Nothing that
   * such work may need is removed.
   */
  readonly mayBeLive: boolean;
}

/** What the journals say about a data directory. */
export interface Journals {
  /** Journals of live processes. */
  readonly live: readonly JournalHead[];
  readonly leftOvers: readonly LeftOver[];
  readonly unusable: readonly UnusableJournal[];
}

/** Directory of the journals, in the delta directory or in the state directory. */
export function journalDirectory(parent: string): string {
  return join(parent, '.journal');
}

/** Directories that may contain journals about a delta directory: its own, and those used if it was not writable. */
export function journalDirectories(deltaDirectory: string | undefined): string[] {
  const parents = deltaDirectory === undefined ? [stateDirectory()] : [deltaDirectory, stateDirectory()];
  return [...new Set(parents)].map(journalDirectory);
}

/**
 * Reads the journals of a data directory and, with `work`, also those of other live work that conflicts with it. Other files do
 * not stop the work: files that are not journals, and journals of other versions, are reported and, with `quarantine`, moved
 * aside.
 */
export async function readJournals(
  deltaDirectory: string | undefined,
  dataDirectory: string,
  { quarantine = false, work }: { readonly quarantine?: boolean; readonly work?: JournalWork } = {},
): Promise<Journals> {
  const live: JournalHead[] = [];
  const leftOvers: LeftOver[] = [];
  const unusable: UnusableJournal[] = [];
  const distrusted = await distrustedDirectories(deltaDirectory);
  for (const file of await journalFiles(deltaDirectory)) {
    const head = await readHead(file);
    if (head === undefined) continue;
    const refusal = distrusted.get(dirname(file));
    if (refusal !== undefined) {
      // A forged journal would have us remove and rename whatever it names. One of this process names nothing that is left.
      const reason = `it may be forged: ${refusal}`;
      if (!isHead(head) || !isOwn(head)) unusable.push({ journal: file, reason, movedTo: '', mayBeLive: true });
      continue;
    }
    if (typeof head === 'string') {
      unusable.push({
        journal: file,
        reason: head,
        movedTo: quarantine ? await moveAside(file) : '',
        mayBeLive: false,
      });
    } else if (head instanceof UnreadJournal) {
      unusable.push({ journal: file, reason: head.reason, movedTo: '', mayBeLive: true });
    } else if (head.dataDirectory === dataDirectory || (work && isInTheWay({ work, dataDirectory }, head))) {
      if (!isOfThisHost(head)) {
        // Its process runs on another host and may be alive, so nothing of it is touched.
        const owner = head.host === hostname() ? `another machine named ${head.host}` : `the host ${head.host}`;
        const reason = `it belongs to ${owner} (${head.work} ${head.id})`;
        unusable.push({ journal: file, reason, movedTo: '', mayBeLive: true });
      } else if (!head.ended && !endedHere.has(file) && isAlive(head)) live.push(head);
      else if (head.dataDirectory === dataDirectory) leftOvers.push(leftOverOf(file, head));
    }
  }
  if (quarantine) await removeUnfinished(deltaDirectory);
  return { live, leftOvers, unusable };
}

/** Journals of this process that could not be removed when their work had ended. No other journal has the same path. */
const endedHere = new Set<string>();

/**
 * From now on the journal blocks nothing in this process: it names what interrupted work has left, which the next work removes.
 */
export function noteEndedWork(journal: string): void {
  endedHere.add(journal);
}

/** A journal is written again under an earlier name: a backup can be removed a second time. */
export function noteBegunWork(journal: string): void {
  endedHere.delete(journal);
}

/** What the journals say about a process of this host that is certainly dead. A text if a directory cannot be read. */
export async function leftOversOfProcess(
  deltaDirectory: string | undefined,
  pid: number,
): Promise<{ readonly leftOvers: readonly LeftOver[]; readonly unreadable: string }> {
  const leftOvers: LeftOver[] = [];
  try {
    for (const file of await journalFiles(deltaDirectory)) {
      const head = await readHead(file);
      if (isHead(head) && head.pid === pid && isOfThisHost(head)) leftOvers.push(leftOverOf(file, head));
    }
    return { leftOvers, unreadable: '' };
  } catch (error) {
    return { leftOvers, unreadable: `its journals cannot be read: ${(error as Error).message}` };
  }
}

/** One sentence for a person. */
export function describeUnusable({ journal, reason, movedTo }: UnusableJournal): string {
  const moved = movedTo === '' ? 'it was not touched' : `it was moved to ${movedTo}`;
  return `the journal ${journal} cannot be used: ${reason}; ${moved}`;
}

export function warnOfUnusable(unusable: UnusableJournal): Warning {
  const subjects = [unusable.movedTo === '' ? unusable.journal : unusable.movedTo];
  return warning('WARN_JOURNAL_UNUSABLE', describeUnusable(unusable), { subjects });
}

/** Shadows that the journals in a delta directory name as left behind. Those of live processes are not included. */
export async function journaledShadows(deltaDirectory: string): Promise<string[]> {
  const heads = await Promise.all((await journalFiles(deltaDirectory)).map(readHead));
  return heads.flatMap((head) => (isHead(head) && (head.ended || !isAlive(head)) ? [...head.shadows] : []));
}

/** Work of live processes of this host, on whatever data directory. */
export async function liveWork(deltaDirectory: string): Promise<readonly JournalHead[]> {
  const heads = await Promise.all((await journalFiles(deltaDirectory)).map(readHead));
  return heads.filter(isHead).filter((head) => !head.ended && isOfThisHost(head) && isAlive(head));
}

/** Data directories of backups whose removal was interrupted by the death of the process. */
export async function interruptedRemovals(deltaDirectory: string): Promise<string[]> {
  const heads = await Promise.all((await journalFiles(deltaDirectory)).map(readHead));
  return heads.flatMap((head) => (isHead(head) && head.work === 'prune' ? [head.dataDirectory] : []));
}

function isOwn({ pid, processStart }: JournalHead): boolean {
  const own = ownIdentity();
  return pid === own.pid && processStart === own.processStart;
}

function isHead(read: Awaited<ReturnType<typeof readHead>>): read is JournalHead {
  return typeof read === 'object' && !(read instanceof UnreadJournal);
}

/** The lists that follow the head of a journal. */
export interface JournalLists {
  readonly databases: readonly string[];
  readonly copies: readonly string[];
}

export async function readJournalLists({
  journal,
  databasesInBackupMode,
  copiedFiles,
}: LeftOver): Promise<JournalLists> {
  const wanted = databasesInBackupMode + copiedFiles;
  const names: string[] = [];
  if (wanted > 0) {
    await using handle = await openJournal(journal);
    let isHead = true;
    for await (const line of linesOf(handle.createReadStream({ autoClose: false }))) {
      if (!isHead) names.push(nameIn(line, journal));
      isHead = false;
      if (names.length === wanted) break;
    }
  }
  return { databases: names.slice(0, databasesInBackupMode), copies: names.slice(databasesInBackupMode) };
}

function nameIn(line: string, journal: string): string {
  let name: unknown;
  try {
    name = JSON.parse(line);
  } catch {
    // Below.
  }
  if (typeof name === 'string') return name;
  const message = `the journal ${journal} cannot be used: it lists something that is not a path`;
  throw new FileSystemError('ERR_FILE_SYSTEM', { path: journal }, { message });
}

/** Describes the work that uses a data directory. */
export function describeLiveWork({ work, id, dataDirectory, pid }: JournalHead): string {
  return `${work} ${id} of ${dataDirectory} is running (process ${pid})`;
}

/** Directories of journals in which others could have put one, with the reason. */
async function distrustedDirectories(deltaDirectory: string | undefined): Promise<ReadonlyMap<string, string>> {
  const distrusted = new Map<string, string>();
  for (const directory of journalDirectories(deltaDirectory)) {
    // The one above too: whoever can write there can put a link in the place of this one.
    for (const path of [dirname(directory), directory]) {
      const real = await realpath(path).catch(undefinedWhereMissing);
      const { refusal } = real === undefined ? { refusal: '' } : await directoryRisk(real, accessLists());
      if (refusal !== '') distrusted.set(directory, refusal);
    }
  }
  return distrusted;
}

/** The functions for access lists, which only Windows needs. */
function accessLists(): Pick<NativeBinding, 'directoryAccess'> {
  return process.platform === 'win32' ? loadBinding() : {};
}

/** Absolute paths, oldest first. */
async function journalFiles(deltaDirectory: string | undefined): Promise<string[]> {
  return journalEntries(deltaDirectory, /\.journal$/);
}

async function journalEntries(deltaDirectory: string | undefined, pattern: RegExp): Promise<string[]> {
  const found: string[] = [];
  for (const directory of journalDirectories(deltaDirectory)) {
    const names = await readdir(directory).catch((error: unknown) => {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
      throw error;
    });
    found.push(
      ...names
        .filter((name) => pattern.test(name))
        .sort()
        .map((name) => join(directory, name)),
    );
  }
  return found;
}

/** Ten times the size needed for a backup of 100 000 databases. */
const longestJournalBytes = 256 * 1024 * 1024;
const blockBytes = 64 * 1024;

/** The beginning of every journal: other files are recognised by a few bytes. */
const beginning = '{"format":';

/** A journal that could not be read. It may be readable the next time, so it stays in place. */
class UnreadJournal {
  constructor(readonly reason: string) {}
}

/** Errors for paths that do not lead to a file: a link, a socket or a FIFO without another end, a directory. */
const noFile = ['ELOOP', 'ENXIO', 'EISDIR', 'ENOTDIR'];

/** The head; undefined if the owner of the journal has just ended; a text if it is not a usable journal, with the reason. */
async function readHead(file: string): Promise<JournalHead | UnreadJournal | string | undefined> {
  try {
    await using handle = await openJournal(file);
    const found = await handle.stat();
    if (!found.isFile()) return 'it is not a file';
    if (found.size > longestJournalBytes) return `it has ${found.size} bytes`;
    if (found.size === 0) return 'it is empty';
    const head = await readCheckedHead(handle, found.size);
    const isItsName = typeof head === 'string' || basename(file) === `${head.id}.journal`;
    return isItsName ? head : `it is the journal of ${head.id}`;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const reason = `it cannot be read: ${message}`;
    return noFile.includes(code) ? reason : new UnreadJournal(reason);
  }
}

/** Never waits for the other end of a FIFO, and follows no link. */
function openJournal(file: string): Promise<FileHandle> {
  // Windows has neither flag.
  const { O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants as Partial<typeof constants>;
  return open(file, constants.O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
}

/** Reads the whole journal, because a damaged list would name other files. */
async function readCheckedHead(handle: FileHandle, sizeBytes: number): Promise<JournalHead | string> {
  const hash = createHash('sha256');
  const contentBytes = sizeBytes - checkLineBytes;
  const block = Buffer.allocUnsafe(blockBytes);
  const firstLine: Buffer[] = [];
  let isFirstLine = true;
  let lineCount = 0;
  const read = async (position: number, wanted: number): Promise<Buffer> => {
    const { bytesRead } = await handle.read(block, 0, wanted, position);
    return block.subarray(0, bytesRead);
  };
  for (let position = 0; position < sizeBytes;) {
    const bytes = await read(position, blockBytes);
    if (bytes.length === 0) break;
    if (position === 0 && !bytes.toString('latin1').startsWith(beginning)) break;
    if (isFirstLine) {
      const end = bytes.indexOf('\n');
      firstLine.push(Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)));
      isFirstLine = end < 0;
    }
    const content = bytes.subarray(0, Math.max(0, contentBytes - position));
    hash.update(content);
    for (let at = content.indexOf('\n'); at >= 0; at = content.indexOf('\n', at + 1)) lineCount += 1;
    position += bytes.length;
  }
  if (isFirstLine) return 'its first line is incomplete, or not that of a journal';
  const head = parseHead(Buffer.concat(firstLine).toString('utf8'));
  if (typeof head === 'string') return head;
  const check = await read(Math.max(0, contentBytes), checkLineBytes);
  if (!check.equals(Buffer.from(checkLine(hash))))
    return 'it is damaged: its last line is not the SHA-256 of the others';
  const listed = head.databasesInBackupMode + head.copiedFiles;
  return lineCount === listed + 1 ? head : `it lists ${lineCount - 1} files, but its first line says ${listed}`;
}

/** Returns the new path; empty if it could not be moved. */
async function moveAside(file: string): Promise<string> {
  let target = `${file}.damaged`;
  for (let number = 2; existsSync(target); number += 1) target = `${file}.damaged-${number}`;
  return rename(file, target).then(
    () => target,
    () => '',
  );
}

/**
 * Temporary name of a journal while it is written. It contains the process id, because the process may die before the journal
 * gets its final name.
 */
export function unfinishedName(file: string): string {
  const { pid, processStart } = ownIdentity();
  return `${file}.${pid}-${processStart}.new`;
}

/**
 * Removes what a process left that died while it wrote a journal, or before a backup that it had prepared began: such a file or
 * directory has no meaning yet.
 */
export async function removeUnfinished(deltaDirectory: string | undefined): Promise<void> {
  const pattern = /^(.*\.(?:journal|backup|scratch))\.(\d+)-(\w*)\.new(?:\.part)?$/s;
  const distrusted = await distrustedDirectories(deltaDirectory);
  for (const file of await journalEntries(deltaDirectory, pattern)) {
    if (distrusted.has(dirname(file))) continue;
    const [, journal = '', pid = '', started = ''] = pattern.exec(file) ?? [];
    if (isRunning(Number(pid), started) && !endedHere.has(journal)) continue;
    await rm(file, { force: true, recursive: true }).catch(() => undefined);
  }
}
