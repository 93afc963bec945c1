import { warning } from '../errors/warnings';
import type { ScriptEventListener } from './events';
import type { Word } from './lexer';
import { readManifestAliases } from './metadata';
import { outOfOrder, type ScriptPlace } from './problem';
import type { ShadowCommands } from './shadow-commands';
import type { ScriptMetadata, ScriptTarget } from './target';
import type { Variables } from './variables';
import type { WordReader } from './word-reader';

interface MetadataCommandsOptions {
  readonly target: ScriptTarget;
  readonly emit: ScriptEventListener;
  readonly words: WordReader;
  readonly variables: Variables;
  readonly shadows: ShadowCommands;
}

/** `load metadata` and `import`: the documents of a set that was made elsewhere or before. */
export class MetadataCommands {
  readonly #options: MetadataCommandsOptions;
  #metadata: ScriptMetadata | undefined;

  constructor(options: MetadataCommandsOptions) {
    this.#options = options;
  }

  async load(word: Word): Promise<void> {
    const { target, emit, words, variables } = this.#options;
    const file = words.text(word);
    this.#metadata = await target.loadMetadata(file);
    variables.hasUnknownAliases = this.#metadata.isUnknown === true;
    const aliases = readManifestAliases(this.#metadata.manifest);
    if (!aliases) {
      emit({ type: 'note', message: 'these metadata were written by another program; their aliases are not known' });
    }
    for (const { name, value } of aliases ?? []) variables.define(name, value, 'value');
    emit({ type: 'metadata', action: 'loaded', file });
  }

  async import(place: ScriptPlace): Promise<void> {
    const { target, emit, shadows } = this.#options;
    const imported = await target.importShadows(this.require(place));
    emit({ type: 'shadows', title: 'Imported shadow copies', shadows: shadows.listed(imported) });
    if (imported.some(({ persistent }) => !persistent)) {
      const message =
        'the set was volatile and no longer exists: write "set context persistent" in the script that makes it';
      emit({ type: 'warning', ...warning('WARN_SET_VOLATILE', message) });
    }
  }

  require(place: ScriptPlace): ScriptMetadata {
    if (this.#metadata) return this.#metadata;
    throw outOfOrder(place, 'no metadata have been loaded', 'load them first: load metadata FILE.cab');
  }

  forget(): void {
    this.#metadata = undefined;
    this.#options.variables.hasUnknownAliases = false;
  }
}
