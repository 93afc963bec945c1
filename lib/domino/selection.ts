import picomatch from 'picomatch';
import { forEachIndex } from '../call/event-loop';
import type { Catalog } from './catalog';

/** Which databases take part: globs for paths relative to the data directory, matched without regard to case. */
export interface SelectionOptions {
  /** Only databases that match one of these. Default: all. */
  readonly include?: readonly string[] | undefined;
  /** Not these, even when they are included. Default: none. */
  readonly exclude?: readonly string[] | undefined;
  /** The backup fails when one of these matches nothing or a database it matches is left out. Default: none. */
  readonly required?: readonly string[] | undefined;
}

/** Why a database of the data directory takes no part. */
export type LeftOutReason = 'transient' | 'not included' | 'excluded' | 'duplicate';

/** The databases of a catalog that take part. */
export interface Selection {
  /** Indexes into the catalog, in its order. */
  readonly indexes: readonly number[];
  /** Positions in {@link indexes} that a `required` glob matches. */
  readonly required: ReadonlySet<number>;
  /** `required` globs that match nothing. */
  readonly unmetRequired: readonly string[];
}

/** Databases that Domino rebuilds, and temporary ones: fact-sheet rules of what must not be in a backup. */
const transientPaths = [
  /(^|\/)daoscat\.nsf$/i,
  /(^|\/)\.domino-vss\//,
  /(^|\/)ibm_technical_support\//i,
  /\.(dtf|ft|ndx|lck|tmp|mtc|dad|log|txn)$/i,
  /(^|\/)(pid\.nbf|nlogctrl\.lfh)$/i,
];

/** Answers for one database at a time why it takes no part, or undefined. */
export class Selector {
  readonly #include: (path: string) => boolean;
  readonly #exclude: (path: string) => boolean;
  readonly #required: readonly { readonly glob: string; readonly matches: (path: string) => boolean }[];

  constructor(options: SelectionOptions) {
    this.#include = options.include === undefined ? () => true : matcher(options.include);
    this.#exclude = matcher(options.exclude ?? []);
    this.#required = (options.required ?? []).map((glob) => ({ glob, matches: matcher([glob]) }));
  }

  leaveOut(path: string): Exclude<LeftOutReason, 'duplicate'> | undefined {
    if (transientPaths.some((pattern) => pattern.test(path))) return 'transient';
    if (!this.#include(path)) return 'not included';
    return this.#exclude(path) ? 'excluded' : undefined;
  }

  async select(catalog: Catalog, onLeftOut?: (index: number, reason: LeftOutReason) => void): Promise<Selection> {
    const indexes: number[] = [];
    const required = new Set<number>();
    const unmet = new Set(this.#required.map(({ glob }) => glob));
    const seen = new Set<string>();
    await forEachIndex(catalog.paths.length, (index) => {
      const path = catalog.paths[index] ?? '';
      const file = catalog.fileIds[index] ?? '';
      const reason = this.leaveOut(path) ?? (seen.has(file) ? 'duplicate' : undefined);
      if (reason !== undefined) {
        onLeftOut?.(index, reason);
        return;
      }
      seen.add(file);
      for (const { glob, matches } of this.#required) {
        if (!matches(path)) continue;
        required.add(indexes.length);
        unmet.delete(glob);
      }
      indexes.push(index);
    });
    return { indexes, required, unmetRequired: [...unmet] };
  }
}

/** Globs match whole paths, without regard to case; a leading dot is nothing special. */
export function matcher(globs: readonly string[]): (path: string) => boolean {
  if (globs.length === 0) return () => false;
  return picomatch([...globs], { nocase: true, dot: true });
}
