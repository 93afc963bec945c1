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
  /** The volume name in Windows; the same for all mount points of the volume. */
  readonly device: string;
  readonly line: number;
  /** Given with `alias`; empty for none. */
  readonly alias: string;
  readonly providerId: string;
}

/** The volumes of the next `create`, and the aliases that it will define. */
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
    // A value that is only known in a real run is assumed to be a volume.
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

  /** Checks a name for an alias. `automatic` is the name that the volume would get without one. */
  newAlias(word: Word, automatic = ''): string {
    const name = this.reader.text(word);
    if (!isAliasName(name)) {
      throw new ScriptFailure(word, `"${name}" cannot be an alias`, 'use letters, digits and underscores');
    }
    if (isAutomaticAlias(name) && name.toUpperCase() !== automatic) {
      const message = `create defines ${name} itself, and would overwrite it`;
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

  /** The alias in a word, if the next `create` will define it; undefined if there is none, or if it already has a value. */
  pendingAlias({ parts }: Word): string | undefined {
    return parts
      .flatMap((part) => (part.type === 'variable' ? [part.name] : []))
      .find((name) => {
        const isPending = this.pendingAliases.some((alias) => alias.toUpperCase() === name.toUpperCase());
        return isPending && this.#variables.aliases.get(name) === undefined;
      });
  }

  /** Rejects exposing at the place of an added volume. */
  requireFree({ as }: ExposePlace, place: ScriptPlace): void {
    const volume = this.#volumes.find((added) => added.volume.toLowerCase() === `${as}\\`.toLowerCase());
    if (!volume) return;
    const message = `${as} is taken: it is the volume added in line ${volume.line}`;
    throw new ScriptFailure(place, message, 'write a free drive letter', 'ERR_STATE');
  }

  async #addSupported(word: Word, added: Pick<AddedVolume, 'volume' | 'alias' | 'providerId'>): Promise<void> {
    const { volume, providerId } = added;
    const device = await this.#target.resolveVolume(volume);
    const twin = this.#volumes.find((other) => other.device.toLowerCase() === device.toLowerCase());
    if (twin) {
      const isSame = twin.volume.toLowerCase() === volume.toLowerCase();
      const message = isSame
        ? `${volume} has already been added in line ${twin.line}`
        : `${volume} is on the same volume as ${twin.volume}, which was already added in line ${twin.line}`;
      const remedy = isSame
        ? 'remove this line'
        : 'remove one of the two lines: a shadow copy contains the whole volume';
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

/** The alias that `create` defines for a volume without one. */
function automaticAlias(index: number): string {
  return `VSS_SHADOW_${index + 1}`;
}
