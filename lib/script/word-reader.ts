import type { ShadowSelector } from '../vss/shadows';
import type { WrittenSelector } from './commands';
import type { Word } from './lexer';
import { readId, readPlace, readVolume } from './names';
import { ScriptFailure } from './problem';
import type { ExposePlace } from './target';
import type { Variables } from './variables';

/** Evaluates the words of a script: with variables replaced, as ids, places, or selections of shadow copies. */
export class WordReader {
  readonly #variables: Variables;
  readonly #pendingAliases: () => readonly string[];

  /** `pendingAliases`: aliases that the next `create` will define. */
  constructor(variables: Variables, pendingAliases: () => readonly string[]) {
    this.#variables = variables;
    this.#pendingAliases = pendingAliases;
  }

  text(word: Word): string {
    return this.#variables.text(word, this.#pendingAliases());
  }

  id(word: Word, remedy: string): string {
    const text = this.text(word);
    const id = readId(text);
    if (id !== undefined) return id;
    const alias = this.#variables.aliases.get(text);
    const hint = alias === undefined ? remedy : `an alias is written %${text}%`;
    throw new ScriptFailure(word, `"${text}" is not an id such as {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}`, hint);
  }

  /** A place for an exposure. */
  place(word: Word): ExposePlace {
    const text = this.text(word);
    const place = readPlace(text);
    if (place) return place;
    const remedy = /^[a-z]$/i.test(text)
      ? `write ${text}: for the drive; the name of a share must be longer than one letter`
      : 'write a free drive letter (b:), the full path of an empty directory, or the plain name of a share';
    throw new ScriptFailure(word, `"${word.text}" is not a place to expose at`, remedy);
  }

  /** An exposed shadow copy, by id or by place. */
  exposed(word: Word): Extract<ShadowSelector, { readonly by: 'id' | 'exposed' }> {
    const text = this.text(word);
    const id = readId(text);
    if (id !== undefined) return { by: 'id', id };
    const place = readPlace(text);
    if (place) return { by: 'exposed', as: place.as };
    const remedy = /^[a-z]$/i.test(text) ? `write ${text}:` : 'see list shadows all';
    throw new ScriptFailure(word, `"${text}" is neither an id nor a place`, remedy);
  }

  selector(written: WrittenSelector): ShadowSelector {
    switch (written.by) {
      case 'all':
        return { by: 'all' };
      case 'set':
      case 'id':
        return this.byId(written.by, written.what);
      case 'volume':
      case 'oldest': {
        const text = this.text(written.what);
        const volume = readVolume(text);
        if (volume !== undefined) return { by: written.by, volume };
        const isId = readId(text) !== undefined;
        const remedy = isId ? `that is an id: delete shadows id ${written.what.text}` : 'write a drive, for example d:';
        throw new ScriptFailure(written.what, `"${written.what.text}" is not a volume`, remedy);
      }
      case 'exposed': {
        const place = readPlace(this.text(written.what));
        if (place) return { by: 'exposed', as: place.as };
        throw new ScriptFailure(written.what, `"${written.what.text}" is not a place`, 'see list shadows all');
      }
    }
  }

  byId(by: 'set' | 'id', word: Word): ShadowSelector {
    const id = this.id(word, 'see list shadows all');
    return by === 'set' ? { by, setId: id } : { by, id };
  }
}
