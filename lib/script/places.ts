import type { ScriptPlace } from './problem';
import { ScriptFailure } from './problem';
import type { ScriptShadow } from './target';

/** A persistent shadow copy made by a script, while it exists. */
export interface MadeShadow {
  readonly shadow: ScriptShadow;
  /** Where the script exposed it; empty if it did not, or has unexposed it. */
  readonly exposedAs: string;
}

/** The persistent shadow copies that a script made and the places it used, to report what it leaves behind. */
export class MadeShadows {
  readonly #made = new Map<string, MadeShadow>();
  /** Places by name in lower case, with the line that used them. */
  readonly #places = new Map<string, { readonly id: string; readonly line: number }>();

  /** Those that exist. */
  list(): readonly MadeShadow[] {
    return [...this.#made.values()];
  }

  add(shadows: readonly ScriptShadow[]): void {
    for (const shadow of shadows) if (shadow.persistent) this.#made.set(shadow.id, { shadow, exposedAs: '' });
  }

  /** Rejects a place that an earlier line has used and no later line has freed. */
  requireFree(as: string, place: ScriptPlace): void {
    const taken = this.#places.get(as.toLowerCase());
    if (!taken) return;
    const message = `${as} is taken: line ${taken.line} has exposed a shadow copy there`;
    throw new ScriptFailure(place, message, `take it away first: unexpose ${as}`, 'ERR_STATE');
  }

  exposed(id: string, as: string, line: number): void {
    this.#places.set(as.replace(/\\$/, '').toLowerCase(), { id, line });
    const made = this.#made.get(id);
    if (made) this.#made.set(id, { ...made, exposedAs: as.replace(/\\$/, '') });
  }

  unexposed(selector: { readonly id: string } | { readonly as: string }): void {
    for (const [as, { id }] of this.#places) {
      if ('id' in selector ? id !== selector.id : as !== selector.as.replace(/\\$/, '').toLowerCase()) continue;
      this.#places.delete(as);
      const made = this.#made.get(id);
      if (made) this.#made.set(id, { ...made, exposedAs: '' });
    }
  }

  /** The shadow copies no longer exist. */
  gone(ids: readonly string[]): void {
    for (const id of ids) {
      this.unexposed({ id });
      this.#made.delete(id);
    }
  }

  idsOfSet(setId: string): string[] {
    return this.list().flatMap(({ shadow }) => (shadow.setId === setId ? [shadow.id] : []));
  }
}
