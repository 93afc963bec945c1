import { forEachIndex } from '../call/event-loop';
import { Aliases } from './aliases';
import type { Catalog } from './catalog';
import { matcher, withSlashes } from './globs';
import { printable } from '../errors/printable';
import { listed, type Notice } from './notice';

/**
 * Which databases take part: globs for paths relative to the data directory, matched case-insensitively. `/` and `\` are
 * equivalent; `mail` and `mail/` mean everything in that directory. Aliases of databases and directories match as well.
 */
export interface SelectionOptions {
  /**
   * Only databases that match one of these. Default: all, except those that a server rebuilds, which are included only if named.
   */
  readonly include?: readonly string[] | undefined;
  /** Not these, even if they are included. Default: none. */
  readonly exclude?: readonly string[] | undefined;
  /** The backup fails if one of these matches nothing, or a database it matches is left out. Default: none. */
  readonly required?: readonly string[] | undefined;
}

/** Why a database in the data directory does not take part. */
export type LeftOutReason = 'transient' | 'not included' | 'excluded' | 'duplicate';

/** The databases of a catalog that take part. */
export interface Selection {
  /** Indexes into the catalog, in its order. */
  readonly indexes: readonly number[];
  /** Positions in {@link indexes} that a `required` glob matches. */
  readonly required: ReadonlySet<number>;
  /** `required` globs that match nothing. */
  readonly unmetRequired: readonly string[];
  /** Databases that were left out by default or because of an alias. */
  readonly notices: readonly Notice[];
}

/** Databases that a server recreates when they are missing; their contents exist elsewhere. */
const rebuiltPaths = [/(^|\/)daoscat\.nsf$/i, /^(dbdirman|cldbdir)\.nsf$/i];

/** Files that are needed only while a server is running, and our own copies. */
const transientPaths = [
  /(^|\/)\.domino-vss\//,
  /(^|\/)ibm_technical_support\//i,
  /\.(dtf|ft|ndx|lck|tmp|mtc|dad|log|txn)$/i,
  /(^|\/)(pid\.nbf|nlogctrl\.lfh)$/i,
];

/** One glob of the selection, and whether it has matched anything so far. */
interface Rule {
  readonly option: keyof SelectionOptions;
  readonly glob: string;
  readonly matches: (path: string) => boolean;
  met: boolean;
}

/** The selection for one catalog, including its aliases. */
export class SelectionRules {
  readonly #rules: readonly Rule[];
  readonly #include: ((path: string) => boolean) | undefined;
  readonly #exclude: (path: string) => boolean;
  readonly #excludeByName: (path: string) => boolean;
  readonly #named: ReadonlySet<string>;

  constructor(options: SelectionOptions, aliases: Aliases) {
    const globsOf = (option: keyof SelectionOptions): readonly string[] => options[option] ?? [];
    this.#rules = (['include', 'exclude', 'required'] as const).flatMap((option) =>
      globsOf(option).map((glob) => ({ option, glob, matches: matcher([glob], aliases), met: false })),
    );
    this.#include = options.include && matcher(options.include, aliases);
    this.#exclude = matcher(globsOf('exclude'), aliases);
    this.#excludeByName = matcher(globsOf('exclude'));
    const named = [...globsOf('include'), ...globsOf('required')];
    this.#named = new Set(named.map((name) => aliases.resolve(withSlashes(name)).toLowerCase()));
  }

  /** Why a database does not take part; undefined if it does. */
  leaveOut(path: string): Exclude<LeftOutReason, 'duplicate'> | undefined {
    for (const rule of this.#rules) rule.met ||= rule.matches(path);
    if (transientPaths.some((pattern) => pattern.test(path))) return 'transient';
    if (isRebuilt(path) && !this.#named.has(path.toLowerCase())) return 'transient';
    if (this.#include?.(path) === false) return 'not included';
    return this.#exclude(path) ? 'excluded' : undefined;
  }

  /** Whether the database is excluded only under another name. */
  isExcludedByAlias(path: string): boolean {
    return this.#exclude(path) && !this.#excludeByName(path);
  }

  /** `required` globs that a database matches. */
  requiredFor(path: string): readonly string[] {
    return this.#rules.filter(({ option, matches }) => option === 'required' && matches(path)).map(({ glob }) => glob);
  }

  /** Globs that have not matched anything so far, except those of `required`, which are reported as errors. */
  unmatched(): Notice[] {
    return this.#rules
      .filter(({ option, met }) => option !== 'required' && !met)
      .map(({ option, glob }) => ({
        code: 'WARN_GLOB_UNMATCHED',
        text: printable(
          `${option} "${glob}" matches no database${glob.startsWith('!') ? '; a leading ! does not negate' : ''}`,
        ),
        subjects: [glob],
      }));
  }
}

function isRebuilt(path: string): boolean {
  return rebuiltPaths.some((pattern) => pattern.test(path));
}

/** Selects the databases that take part from catalogs. */
export class Selector {
  constructor(private readonly options: SelectionOptions) {}

  rulesFor({ aliases }: Pick<Catalog, 'aliases'>): SelectionRules {
    return new SelectionRules(this.options, new Aliases(aliases));
  }

  async select(
    catalog: Catalog,
    onLeftOut?: (index: number, reason: LeftOutReason) => void,
    rules = this.rulesFor(catalog),
  ): Promise<Selection> {
    const indexes: number[] = [];
    const required = new Set<number>();
    const unmet = new Set(this.options.required);
    const seen = new Set<string>();
    const rebuilt: string[] = [];
    const byAlias: string[] = [];
    await forEachIndex(catalog.paths.length, (index) => {
      const path = catalog.paths[index] ?? '';
      const file = catalog.fileIds[index] ?? '';
      const reason = rules.leaveOut(path) ?? (seen.has(file) ? 'duplicate' : undefined);
      if (reason !== undefined) {
        if (reason === 'transient' && isRebuilt(path)) rebuilt.push(path);
        if (reason === 'excluded' && rules.isExcludedByAlias(path)) byAlias.push(path);
        onLeftOut?.(index, reason);
        return;
      }
      seen.add(file);
      for (const glob of rules.requiredFor(path)) {
        required.add(indexes.length);
        unmet.delete(glob);
      }
      indexes.push(index);
    });
    return { indexes, required, unmetRequired: [...unmet], notices: noticesOf(rebuilt, byAlias) };
  }
}

function noticesOf(rebuilt: readonly string[], byAlias: readonly string[]): Notice[] {
  const notices: Notice[] = [];
  if (rebuilt.length > 0) {
    const text = `left out because the server rebuilds it; to include it, name it in include: ${listed(rebuilt)}`;
    notices.push({ code: 'INFO_REBUILT_BY_SERVER', text: printable(text), subjects: rebuilt });
  }
  if (byAlias.length > 0) {
    const text = `excluded under another name of the same file: ${listed(byAlias)}`;
    notices.push({ code: 'WARN_EXCLUDED_BY_ALIAS', text: printable(text), subjects: byAlias });
  }
  return notices;
}
