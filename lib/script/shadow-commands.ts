import type { ShadowSelector } from '../vss/shadows';
import type { Aliases } from './aliases';
import type { WrittenSelector } from './commands';
import type { ListedAs, ScriptEventListener } from './events';
import type { Word } from './lexer';
import { formatTime } from './listing';
import type { MadeShadows } from './places';
import type { ScriptShadow, ScriptTarget } from './target';
import type { WordReader } from './word-reader';

/** Alias of the set that `create` made last. */
export const setAlias = 'VSS_SHADOW_SET';

/** What these commands share with the rest of the script. */
export interface ShadowCommandsOptions {
  readonly target: ScriptTarget;
  readonly emit: ScriptEventListener;
  readonly isCheck: boolean;
  readonly words: WordReader;
  readonly aliases: Aliases;
  readonly made: MadeShadows;
  /** Those of the open sets, including volatile ones. */
  readonly open: () => readonly ScriptShadow[];
}

/** The commands for existing shadow copies: `list`, `unexpose`, `break`, `mask`, `delete` and `revert`. */
export class ShadowCommands {
  readonly #options: ShadowCommandsOptions;

  constructor(options: ShadowCommandsOptions) {
    this.#options = options;
  }

  async list(selector: ShadowSelector): Promise<void> {
    const { target, emit } = this.#options;
    const shadows = await target.listShadows(selector);
    const title =
      selector.by === 'set'
        ? `Querying all shadow copies with the shadow copy set ID ${selector.setId}`
        : selector.by === 'id'
          ? `Querying the shadow copy with the ID ${selector.id}`
          : 'Querying all shadow copies on the computer';
    emit({ type: 'shadows', title, shadows: this.listed(shadows) });
  }

  /** With the aliases that the script has for them. */
  listed(shadows: readonly ScriptShadow[]): ListedAs[] {
    const { aliases } = this.#options;
    return shadows.map((shadow) => ({
      shadow,
      alias: aliases.nameOf(shadow.id) ?? '',
      setAlias: aliases.nameOf(shadow.setId) ?? '',
    }));
  }

  async unexpose(word: Word): Promise<void> {
    const { target, emit, words, made } = this.#options;
    const selector = words.exposed(word);
    const as = await target.unexpose(selector);
    made.unexposed(selector.by === 'id' ? { id: selector.id } : { as: selector.as });
    if (as === undefined)
      emit({ type: 'note', message: `nothing is exposed at ${word.text}, so there is nothing to take away` });
    else emit({ type: 'unexposed', as });
  }

  async breakSet(word: Word, how: 'read-only' | 'writable' | 'mask'): Promise<void> {
    const { target, emit, words, made } = this.#options;
    const setId = await this.#setOf(words.id(word, `use %${setAlias}%, or see list shadows all`));
    await target.breakSet({ setId, how });
    made.gone(made.idsOfSet(setId));
    emit({ type: 'broken', setId, how });
  }

  async delete(written: WrittenSelector): Promise<void> {
    const { target, emit, words, made } = this.#options;
    const deleted = await target.deleteShadows(words.selector(written), (found) => {
      const foreign = found.filter(({ own }) => !own);
      if (foreign.length === 0) return;
      const names = foreign.map(({ id, mountedAs, volume, created }) => {
        return `\n  ${id} of ${mountedAs || volume}, made ${formatTime(created)}`;
      });
      const message = `${foreign.length} of ${found.length} are not known to be ours:${names.join('')}`;
      emit({ type: 'note', message });
    });
    made.gone(deleted.map(({ id }) => id));
    emit({ type: 'deleted', shadows: this.listed(deleted) });
  }

  async revert(word: Word): Promise<void> {
    const { target, emit, words } = this.#options;
    const id = words.id(word, 'see list shadows all');
    emit({ type: 'reverted', id, volume: await target.revert(id) });
  }

  /** The set of a shadow copy, if the id is that of a shadow copy; otherwise the id itself, which is that of a set. */
  async #setOf(id: string): Promise<string> {
    const { target, isCheck, emit, open } = this.#options;
    const made = open().find((shadow) => shadow.id === id);
    const [shadow] = made || isCheck ? [made] : await target.listShadows({ by: 'id', id });
    if (!shadow) return id;
    const message = `${id} is a shadow copy: meant is its set ${shadow.setId}, of ${shadow.setCount}`;
    emit({ type: 'note', message });
    return shadow.setId;
  }
}
