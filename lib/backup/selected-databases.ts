import type { Call } from '../call/call';
import { listCatalog, type Catalog } from '../domino/catalog';
import {
  catalogProblems,
  relativePath,
  selectedAliases,
  takeSelected,
  type BackupDatabases,
  hidesDatabases,
} from '../domino/databases';
import type { Notice } from '../domino/notice';
import type { Selection, SelectionRules, Selector } from '../domino/selection';
import type { DatabaseFailure } from '../errors/errors';
import { readingCallsOf } from '../recover/tools';
import { printable } from '../errors/printable';
import type { NativeBinding } from '../native/session';
import { noDatabases } from '../vss/named-volumes';
import type { BeginBackupOptions } from './begin-options';
import { refuseTooManySkipped, type SkipLimits } from './capture';
import { Continuity } from './continuity';
import { defaultBudgetMs } from './provider';
import type { Incremental } from './incremental';
import type { ServerOfBackup } from '../store/backups';

/** The databases of a backup, and problems that hide databases. */
export interface FoundDatabases {
  readonly databases: BackupDatabases;
  readonly problems: readonly DatabaseFailure[];
  readonly notices: readonly Notice[];
  readonly limits: SkipLimits;
  readonly continuity: Continuity;
  /** Undefined if the whole selection is captured. */
  readonly incremental?: Incremental | undefined;
}

export const nothingFound: FoundDatabases = {
  databases: noDatabases,
  problems: [],
  notices: [],
  limits: { maxSkipped: Infinity, unmetRequired: [] },
  continuity: Continuity.none,
};

/** Lists the databases of a server, and applies the selection of the options. */
export async function findSelected(
  binding: NativeBinding,
  { dataDirectory, serverName, deltaDirectory }: ServerOfBackup & { readonly deltaDirectory: string },
  search: {
    readonly excludeDirectories: readonly string[];
    readonly selector: Selector;
    readonly options: BeginBackupOptions;
    /** Leaves part of the selection to earlier backups. */
    readonly narrow?: ((catalog: Catalog, selection: Selection) => Promise<Incremental>) | undefined;
  },
  call: Call,
): Promise<FoundDatabases> {
  const { excludeDirectories, selector, options, narrow } = search;
  call.check('find');
  const calls = readingCallsOf({ call, budgetMs: options.databaseBudgetMs ?? defaultBudgetMs });
  const catalog = await listCatalog(binding, { dataDirectory, excludeDirectories }, call);
  const rules = selector.rulesFor(catalog);
  const selection = await selector.select(catalog, undefined, rules);
  const incremental = selection.indexes.length > 0 ? await narrow?.(catalog, selection) : undefined;
  const taken = await takeSelected(dataDirectory, catalog, incremental?.taken ?? selection);
  // Aliases of databases that are carried over are also names in this backup.
  const databases = incremental ? { ...taken, aliases: selectedAliases(catalog, selection) } : taken;
  const { problems, notDatabases } = selectedProblems(catalog, dataDirectory, rules);
  const limits = { maxSkipped: options.maxSkipped ?? Infinity, unmetRequired: selection.unmetRequired };
  const pathsOf = (failures: readonly DatabaseFailure[]): string[] => failures.map(({ database }) => database);
  const present = { ...catalog, notDatabases: pathsOf(notDatabases), problems: pathsOf(problems) };
  const continuity = await Continuity.compare(
    deltaDirectory,
    { dataDirectory, serverName },
    present,
    rules,
    call,
    calls,
  );
  // A database that an earlier backup contains is reported as a failure and needs no additional notice.
  const unreadable = new Set(pathsOf(continuity.unreadable));
  const neverDatabases = notDatabases.filter(({ database }) => !unreadable.has(database));
  const notices = [...selection.notices, ...neverDatabases.map(notADatabase), ...rules.unmatched()];
  refuseTooManySkipped([...problems, ...continuity.unreadable], [], databases.paths.length, limits);
  return { databases, problems, notices, limits, continuity, incremental };
}

/** Only what the selection includes. */
function selectedProblems(
  catalog: Catalog,
  dataDirectory: string,
  rules: SelectionRules,
): { readonly problems: DatabaseFailure[]; readonly notDatabases: DatabaseFailure[] } {
  const selected = catalogProblems(catalog)
    .map((problem) => ({ ...problem, database: relativePath(problem.database, dataDirectory) }))
    .filter(({ database }) => rules.leaveOut(database) === undefined);
  return {
    problems: selected.filter(hidesDatabases),
    notDatabases: selected.filter((problem) => !hidesDatabases(problem)),
  };
}

function notADatabase({ database, text }: DatabaseFailure): Notice {
  return { code: 'WARN_NOT_A_DATABASE', text: printable(`${database} was left out: ${text}`), subjects: [database] };
}
