import { createHash } from 'node:crypto';
import { lstat, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { undefinedWhereMissing } from '../call/files';
import { listServerFiles, type ServerFile } from '../domino/server-files';
import { databaseFailureOf, DominoVssError, OptionError, type DatabaseFailure } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import { copyExactly } from '../store/copy';
import { identityOf, isPresent } from '../store/file-identity';
import { serverFilesDirectory, type ManifestServerFiles } from '../store/manifest-format';
import { FileCalls, type FilePatience } from '../store/stall';
import { makeOwnDirectory } from '../store/safe-directory';

/** The result of `copyDatabases` for the server's files. */
export interface ServerFilesReport extends ManifestServerFiles {
  /** Directory of the copies, readable by its owner only. */
  readonly directory: string;
  /** Files that exist but could not be copied; `database` is the path of the file. */
  readonly failures: readonly DatabaseFailure[];
}

/** A file that will be copied. */
interface Planned extends ServerFile {
  /** Relative to the directory of the copies, with `/`. */
  readonly file: string;
}

/** How often a file is copied again if it changes in the meantime: the server rewrites the whole notes.ini. */
const attempts = 3;

/**
 * The copies of notes.ini and ID files, in a separate directory. They are copied from the live files: backup mode and shadows do
 * not cover them.
 */
export class ServerFileCopies {
  private constructor(
    private readonly to: string,
    private readonly planned: readonly Planned[],
    private readonly notCopied: ManifestServerFiles['notCopied'],
    private readonly sizes: number,
  ) {}

  /** Examines what exists and creates nothing. `taken`: paths of the databases that are copied at the same time. */
  static async plan(
    to: string,
    { notesIni, dataDirectory }: { readonly notesIni: string; readonly dataDirectory: string },
    taken: readonly string[],
  ): Promise<ServerFileCopies> {
    const directory = join(to, serverFilesDirectory);
    const prefix = `${serverFilesDirectory}/`;
    const isTaken = taken.some((path) => path.toLowerCase().startsWith(prefix));
    if (isTaken || (await isPresent(directory))) {
      const whose = isTaken ? 'is a directory to which databases of this backup are copied' : 'exists';
      throw new OptionError('serverFiles', `${directory} ${whose}, but the ID files need a directory of their own`);
    }
    const { files, rebuilt } = await listServerFiles(notesIni, dataDirectory);
    const notCopied: ManifestServerFiles['notCopied'][number][] = [];
    const planned: Planned[] = [];
    const names = new Set<string>();
    let sizes = 0;
    for (const file of files) {
      const { what, path, isNamed } = file;
      const located = await locate(path).catch(() => undefinedLocation);
      if (located === undefined) notCopied.push({ what, path, reason: 'missing' });
      else if (located.leadsOut && !isNamed) notCopied.push({ what, path, reason: 'link', linkedTo: located.real });
      else {
        planned.push({ ...file, file: prefix + freeName(basename(path), names) });
        sizes += located.size;
      }
    }
    for (const file of rebuilt) notCopied.push({ ...file, reason: 'rebuilt' });
    return new ServerFileCopies(to, planned, notCopied, sizes);
  }

  /** Absolute paths of the planned copies. */
  get files(): readonly string[] {
    return this.planned.map(({ file }) => join(this.to, ...file.split('/')));
  }

  /** The space they need, as far as it is known. */
  get sizeBytes(): number {
    return this.sizes;
  }

  /** Copies them one after the other. One that cannot be copied is reported and does not stop the others. */
  async copy(
    binding: Parameters<typeof makeOwnDirectory>[1],
    patience: FilePatience,
    onMade: (file: string) => void,
  ): Promise<ServerFilesReport> {
    const directory = join(this.to, serverFilesDirectory);
    const calls = new FileCalls(patience);
    await calls.wait('mkdir', directory, makeOwnDirectory(directory, binding));
    const files: ManifestServerFiles['files'][number][] = [];
    const failures: DatabaseFailure[] = [];
    for (const { what, path, file } of this.planned) {
      patience.check();
      const target = join(this.to, ...file.split('/'));
      try {
        const copied = await copyUnchanged(path, target, patience, calls);
        onMade(target);
        files.push({ what, path, ...copied, file });
      } catch (error) {
        patience.check();
        failures.push(databaseFailureOf(path, 'drain', error));
      }
    }
    return { directory, files, notCopied: this.notCopied, failures };
  }
}

/** Warnings about links. */
export function serverFileWarnings({ files, notCopied }: ManifestServerFiles): Warning[] {
  const followed = files.flatMap(({ path, linkedTo }) => {
    if (linkedTo === undefined) return [];
    const message = `${path} is a link that leads out of its directory; its target was copied: ${linkedTo}`;
    return [warning('WARN_LINK_FOLLOWED', message, { subjects: [path] })];
  });
  const left = notCopied.flatMap(({ path, linkedTo }) => {
    if (linkedTo === undefined) return [];
    const message = `${path} was not copied: it is a link that leads out of its directory, to ${linkedTo}, and notes.ini does not name it`;
    return [warning('WARN_LINK_NOT_FOLLOWED', message, { subjects: [path] })];
  });
  return [...followed, ...left];
}

interface Located {
  readonly real: string;
  readonly leadsOut: boolean;
  readonly size: number;
}

/** For a file that cannot be examined: the attempt to copy it will report the error. */
const undefinedLocation: Located = { real: '', leadsOut: false, size: 0 };

/** The real location of a file behind links; undefined if nothing exists there. */
async function locate(path: string): Promise<Located | undefined> {
  const real = await realpath(path).catch(undefinedWhereMissing);
  if (real === undefined) return undefined;
  const leadsOut = dirname(real) !== (await realpath(dirname(path)));
  return { real, leadsOut, size: (await lstat(real)).size };
}

async function copyUnchanged(
  path: string,
  to: string,
  patience: FilePatience,
  calls: FileCalls,
): Promise<Pick<ManifestServerFiles['files'][number], 'linkedTo' | 'sizeBytes' | 'sha256'>> {
  for (let attempt = 1; ; attempt += 1) {
    patience.check();
    const located = await calls.wait('realpath', path, locate(path));
    if (!located) throw new DominoVssError('ERR_COPY', { message: `${path} has vanished` });
    const { real, leadsOut } = located;
    const before = await calls.wait('lstat', real, identityOf(real));
    const { size: sizeBytes } = await calls.wait('lstat', real, lstat(real));
    const hash = createHash('sha256');
    // A file that is being rewritten is shorter for a moment, which is a separate error.
    const failure = await copyExactly({ ...patience, from: real, to, sizeBytes, hash, hasDirectory: true }).catch(
      (error: unknown) => ({ error }),
    );
    const now = await calls.wait('lstat', real, identityOf(real).catch(undefinedWhereMissing));
    const isSame = now === before;
    if (failure && (isSame || attempt === attempts)) throw failure.error;
    if (isSame) return { ...(leadsOut && { linkedTo: real }), sizeBytes, sha256: hash.digest('hex') };
    await calls.wait('unlink', to, rm(to, { force: true }));
    if (attempt === attempts) {
      throw new DominoVssError('ERR_COPY', { message: `${path} changed during every attempt to copy it` });
    }
  }
}

/** A name that is valid on every system and not yet taken. */
function freeName(name: string, names: Set<string>): string {
  // eslint-disable-next-line no-control-regex -- what no file name on Windows may have
  const plain = name.replace(/[\\/:*?"<>|\u0000-\u001f]/g, '_');
  for (let number = 1; ; number += 1) {
    const free = number === 1 ? plain : `${number}-${plain}`;
    if (names.has(free.toLowerCase())) continue;
    names.add(free.toLowerCase());
    return free;
  }
}
