import { join } from 'node:path';
import type { Call } from '../call/call';
import { NotesIni, transactionLogDirectory } from '../domino/environment';
import { toPublicError } from '../errors/errors';
import { archivedLogIds, logDirectory, readCatalogue } from '../logs/catalogue';
import { requireSafeArchive } from '../logs/directory';
import { reachesOn, readLogExtents, type LogExtents } from '../logs/extents';
import { examineExtent } from '../logs/list';
import { readingCallsOf } from '../recover/tools';
import type { NativeBinding } from '../native/session';
import type { ManifestHead } from '../store/manifest-format';

/** Whether an archive of the transaction log can replace a new copy of logged databases. */
export interface ArchivedLogs {
  /** Whether log directory and archive together contain the log from this extent on, without a gap. */
  readonly reach: (logId: string, firstExtent: number) => boolean;
  /** Why some logs are not covered, in words; only for logs that {@link reach} was asked about. */
  readonly problems: readonly string[];
}

/** The server, and the named archive. */
interface LogPlace {
  readonly notesIni: string;
  readonly dataDirectory: string;
  readonly logStyle: ManifestHead['logStyle'];
  readonly logArchive: string | undefined;
  readonly budgetMs: number;
}

/** Examines the archive once: presence and size of every extent. A restore compares the contents before it begins. */
export async function examineArchive(binding: NativeBinding, place: LogPlace, call: Call): Promise<ArchivedLogs> {
  const { notesIni, dataDirectory, logStyle, logArchive, budgetMs } = place;
  if (logArchive === undefined) return nothingReaches('no archive of the transaction log was named');
  const archive = await requireSafeArchive(logArchive, binding, call, 'logArchive');
  if (logStyle !== 'archive') {
    return nothingReaches(`the style of the transaction log is ${logStyle}, so its extents are overwritten`);
  }
  const logs = transactionLogDirectory(new NotesIni(notesIni), dataDirectory);
  const extents = await readingCallsOf({ call, budgetMs }).wait('readdir', logs, readLogExtents(logs));
  if (!extents) return nothingReaches('the extents in the log directory cannot be listed');
  return new SeenArchive(archive, extents, await presentExtents(archive, call));
}

/** The extents in an archive, by log id; a text says why a catalogue cannot be used. */
type PresentExtents = ReadonlyMap<string, readonly number[] | string>;

async function presentExtents(archive: string, call: Call): Promise<PresentExtents> {
  const present = new Map<string, readonly number[] | string>();
  for (const logId of await archivedLogIds(archive, call)) {
    try {
      const catalogue = await readCatalogue(archive, logId, call);
      const numbers: number[] = [];
      for (const extent of catalogue?.extents ?? []) {
        const file = join(logDirectory(archive, logId), extent.name);
        if ((await examineExtent(file, extent, false, call)) === 'present') numbers.push(extent.number);
      }
      present.set(logId, numbers);
    } catch (error) {
      call.check();
      present.set(logId, toPublicError(error).message);
    }
  }
  return present;
}

function nothingReaches(why: string): ArchivedLogs {
  const problems = new Set<string>();
  return {
    reach: () => {
      problems.add(`logged databases are captured in full: ${why}`);
      return false;
    },
    get problems() {
      return [...problems];
    },
  };
}

class SeenArchive implements ArchivedLogs {
  readonly #problems = new Set<string>();
  readonly #known = new Map<string, boolean>();

  constructor(
    private readonly archive: string,
    private readonly extents: LogExtents,
    private readonly present: PresentExtents,
  ) {}

  get problems(): readonly string[] {
    return [...this.#problems];
  }

  reach(logId: string, firstExtent: number): boolean {
    const key = `${logId} ${firstExtent}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const why = this.#whyNot(logId, firstExtent);
    if (why !== '') this.#problems.add(`logged databases are captured in full: ${why}`);
    this.#known.set(key, why === '');
    return why === '';
  }

  #whyNot(logId: string, firstExtent: number): string {
    const archived = this.present.get(logId) ?? [];
    if (typeof archived === 'string') return archived;
    if (archived.length === 0) return `the archive ${this.archive} contains no extent of the transaction log ${logId}`;
    if (reachesOn(firstExtent, this.extents, archived)) return '';
    return `the archive ${this.archive} and the log directory have gaps in the transaction log ${logId} since the backups of these databases`;
  }
}
