import { errorCodes } from '../errors/codes';
import { warning } from '../errors/warnings';
import { hidesNeededVariable, isAliasName, isAutomaticAlias } from './aliases';
import type { ScriptCommand } from './commands';
import type { ScriptEventListener } from './events';
import type { Word } from './lexer';
import { readVolume } from './names';
import { ScriptFailure, type ScriptPlace } from './problem';
import type { ExposePlace, ScriptTarget } from './target';
import type { Variables } from './variables';
import { WordReader } from './word-reader';

export interface AddedVolume {
  readonly volume: string;
  /** What the volume is called by Windows; the same for all its mount points. */
  readonly device: string;
  readonly line: number;
  /** Given with `alias`; empty for none. */
  readonly alias: string;
  readonly providerId: string;
}

/** The volumes that the next `create` makes shadow copies of, and the names that it will give them. */
export class AddedVolumes {
  readonly reader: WordReader;
  readonly #target: ScriptTarget;
  readonly #variables: Variables;
  readonly #emit: ScriptEventListener;
  #volumes: readonly AddedVolume[] = [];

  constructor(target: ScriptTarget, variables: Variables, emit: ScriptEventListener) {
    this.#target = target;
    this.#variables = variables;
    this.#emit = emit;
    this.reader = new WordReader(variables, () => this.pendingAliases);
  }

  get list(): readonly AddedVolume[] {
    return this.#volumes;
  }

  /** In the order of {@link list}. */
  get pendingAliases(): readonly string[] {
    return this.#volumes.map(({ alias }, index) => alias || automaticAlias(index));
  }

  clear(): void {
    this.#volumes = [];
  }

  add({ volume, alias, provider }: Extract<ScriptCommand, { type: 'add-volume' }>): Promise<void> {
    const text = this.reader.text(volume);
    // What only a run can know is taken for a volume.
    const name = readVolume(text) ?? (this.#variables.usedUnknown ? text : undefined);
    if (name === undefined) {
      throw new ScriptFailure(
        volume,
        `"${volume.text}" is not a volume`,
        'write a drive (d:), the full path of a mount point, or \\\\?\\Volume{…}\\',
      );
    }
    const newAlias = alias ? this.newAlias(alias, automaticAlias(this.#volumes.length)) : '';
    const providerId = provider ? this.reader.id(provider, 'list providers shows the ids') : '';
    return this.#addSupported(volume, { volume: name, alias: newAlias, providerId });
  }

  /** A name that an alias may have. `automatic` is the one that the volume would get anyway. */
  newAlias(word: Word, automatic = ''): string {
    const name = this.reader.text(word);
    if (!isAliasName(name)) {
      throw new ScriptFailure(word, `"${name}" cannot be an alias`, 'use letters, digits and underscores');
    }
    if (isAutomaticAlias(name) && name.toUpperCase() !== automatic) {
      const message = `create defines ${name} itself: as an alias of something else it would be overwritten`;
      throw new ScriptFailure(word, message, 'choose another name');
    }
    if (this.#volumes.some(({ alias }) => alias.toUpperCase() === name.toUpperCase())) {
      throw new ScriptFailure(word, `the alias ${name} is taken by another volume`, 'choose another name', 'ERR_STATE');
    }
    if (hidesNeededVariable(name)) {
      const message = `the alias ${name} hides the variable %${name.toUpperCase()}% of Windows from what exec runs: choose another name`;
      this.#emit({ type: 'warning', ...warning('WARN_ALIAS_HIDES_VARIABLE', message, { subjects: [name] }) });
    }
    return name;
  }

  /** The alias in a word that the next `create` defines; undefined when there is none, or it stands for something already. */
  pendingAlias({ parts }: Word): string | undefined {
    return parts
      .flatMap((part) => (part.type === 'variable' ? [part.name] : []))
      .find((name) => {
        const isPending = this.pendingAliases.some((alias) => alias.toUpperCase() === name.toUpperCase());
        return isPending && this.#variables.aliases.get(name) === undefined;
      });
  }

  /** Nothing is exposed at the place of a volume itself. */
  requireFree({ as }: ExposePlace, place: ScriptPlace): void {
    const volume = this.#volumes.find((added) => added.volume.toLowerCase() === `${as}\\`.toLowerCase());
    if (!volume) return;
    const message = `${as} is taken: it is the volume that line ${volume.line} adds`;
    throw new ScriptFailure(place, message, 'write a free drive letter', 'ERR_STATE');
  }

  async #addSupported(word: Word, added: Pick<AddedVolume, 'volume' | 'alias' | 'providerId'>): Promise<void> {
    const { volume, providerId } = added;
    const device = await this.#target.resolveVolume(volume);
    const twin = this.#volumes.find((other) => other.device.toLowerCase() === device.toLowerCase());
    if (twin) {
      const isSame = twin.volume.toLowerCase() === volume.toLowerCase();
      const message = isSame
        ? `${volume} has been added already, by line ${twin.line}`
        : `${volume} is on the same volume as ${twin.volume}, which line ${twin.line} has added already`;
      const remedy = isSame ? 'remove this line' : 'remove one of the two lines: a shadow copy holds the whole volume';
      throw new ScriptFailure(word, message, remedy, 'ERR_STATE');
    }
    if (!(await this.#target.isVolumeSupported({ volume, providerId }))) {
      const by = providerId === '' ? 'no provider makes' : `provider ${providerId} does not make`;
      const message = `${by} shadow copies of ${volume}`;
      throw new ScriptFailure(word, message, errorCodes.ERR_VSS_VOLUME.action, 'ERR_VSS_VOLUME');
    }
    this.#volumes = [...this.#volumes, { ...added, device, line: word.line }];
  }
}

/** What `create` calls the shadow copy of a volume that was given no alias. */
function automaticAlias(index: number): string {
  return `VSS_SHADOW_${index + 1}`;
}
