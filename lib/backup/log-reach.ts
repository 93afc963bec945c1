import { join } from 'node:path';
import type { Call } from '../call/call';
import { NotesIni, transactionLogDirectory } from '../domino/environment';
import { toPublicError } from '../errors/errors';
import { archivedLogIds, logDirectory, readCatalogue } from '../logs/catalogue';
import { requireSafeArchive } from '../logs/directory';
import { reachesOn, readLogExtents, type LogExtents } from '../logs/extents';
import { examineExtent } from '../logs/list';
import type { NativeBinding } from '../native/session';
import type { ManifestHead } from '../store/manifest-format';

/** Whether logged databases can live on the archive of their transaction log. */
export interface ArchivedLogs {
  /** Whether log directory and archive hold the log from this extent on, without a gap. */
  readonly reach: (logId: string, firstExtent: number) => boolean;
  /** Why some cannot, in words; only what {@link reach} was asked for. */
  readonly problems: readonly string[];
}

/** The server, and the archive that was named. */
interface LogPlace {
  readonly notesIni: string;
  readonly dataDirectory: string;
  readonly logStyle: ManifestHead['logStyle'];
  readonly logArchive: string | undefined;
}

/** Looks into the archive once: presence and size of every extent. Their contents are compared by a restore, before it begins. */
export async function examineArchive(binding: NativeBinding, place: LogPlace, call: Call): Promise<ArchivedLogs> {
  const { notesIni, dataDirectory, logStyle, logArchive } = place;
  if (logArchive === undefined) return nothingReaches('no archive of the transaction log was named');
  const archive = await requireSafeArchive(logArchive, binding, 'logArchive');
  if (logStyle !== 'archive') {
    return nothingReaches(`the style of the transaction log is ${logStyle}, so that its extents are written over`);
  }
  const extents = await readLogExtents(transactionLogDirectory(new NotesIni(notesIni), dataDirectory));
  if (!extents) return nothingReaches('the extents in the log directory cannot be seen');
  return new SeenArchive(archive, extents, await presentExtents(archive, call));
}

/** What an archive has, by the id of the log; a text says why a catalogue cannot be used. */
type PresentExtents = ReadonlyMap<string, readonly number[] | string>;

async function presentExtents(archive: string, call: Call): Promise<PresentExtents> {
  const present = new Map<string, readonly number[] | string>();
  for (const logId of await archivedLogIds(archive)) {
    try {
      const catalogue = await readCatalogue(archive, logId);
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
      problems.add(`logged databases are taken whole: ${why}`);
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
    if (why !== '') this.#problems.add(`logged databases are taken whole: ${why}`);
    this.#known.set(key, why === '');
    return why === '';
  }

  #whyNot(logId: string, firstExtent: number): string {
    const archived = this.present.get(logId) ?? [];
    if (typeof archived === 'string') return archived;
    if (archived.length === 0) return `the archive ${this.archive} has no extent of the transaction log ${logId}`;
    if (reachesOn(firstExtent, this.extents, archived)) return '';
    return `the archive ${this.archive} and the log directory do not have the transaction log ${logId} without a gap from their backups on`;
  }
}
