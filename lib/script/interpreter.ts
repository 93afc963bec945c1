import { AbortError, toPublicError } from '../errors/errors';
import { errorCodes, type ErrorCode } from '../errors/codes';
import type { ShadowSelector } from '../vss/shadows';
import { hidesNeededVariable, isAliasName, isAutomaticAlias } from './aliases';
import type { ScriptCommand, ScriptContext, ScriptOption, Statement, WrittenSelector } from './commands';
import type { LeftShadow, ListedAs, ScriptEventListener } from './events';
import { commandForms } from './grammar';
import type { Word } from './lexer';
import { formatTime } from './listing';
import { readManifestAliases, writeManifestXml } from './metadata';
import { readId, readPlace, readVolume } from './names';
import { MadeShadows } from './places';
import { ScriptFailure, type ScriptPlace, type ScriptProblem } from './problem';
import type {
  CreateRequest,
  ExposePlace,
  ScriptBackup,
  ScriptMetadata,
  ScriptRestore,
  ScriptShadow,
  ScriptState,
  ScriptTarget,
} from './target';
import { Variables } from './variables';

/** What the interpreter takes from its surroundings. */
export interface InterpreterOptions {
  readonly target: ScriptTarget;
  readonly emit: ScriptEventListener;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** Nothing is done: what depends on a variable that only a run can know is not judged. */
  readonly isCheck?: boolean | undefined;
  /** What nothing has used stays after a failure too: the script has gone on. Default: false. */
  readonly keepsUnused?: boolean | undefined;
}

interface AddedVolume {
  readonly volume: string;
  /** What the volume is called by Windows; the same for all its mount points. */
  readonly device: string;
  readonly line: number;
  /** Given with `alias`; empty for none. */
  readonly alias: string;
  readonly providerId: string;
}

interface Settings {
  readonly context: ScriptContext;
  readonly options: readonly ScriptOption[];
  /** Absolute path; empty: a generated name in the working directory. */
  readonly metadataFile: string;
  readonly verbose: boolean;
}

const defaults: Settings = {
  context: { lifetime: 'volatile', writers: true },
  options: [],
  metadataFile: '',
  verbose: false,
};

const setAlias = 'VSS_SHADOW_SET';

/** A set that this script has made and not let go. */
interface OpenSet {
  readonly backup: ScriptBackup;
  /** A program has run since it was made. */
  readonly isUsed: boolean;
}

/** Runs commands one by one and holds everything between them. {@link close} belongs into a `finally`. */
export class Interpreter {
  readonly #options: InterpreterOptions;
  readonly #variables: Variables;
  readonly #made = new MadeShadows();
  #settings = defaults;
  #volumes: readonly AddedVolume[] = [];
  #writers: CreateRequest['writers'] = { exclude: [], verify: [] };
  #backups: readonly OpenSet[] = [];
  #backupBegun = false;
  #metadata: ScriptMetadata | undefined;
  #restore: ScriptRestore | undefined;
  /** What writers are told of their files if the restore is never ended. */
  #unendedOutcome: 'none' | 'failed' = 'none';
  #partial = false;

  constructor(options: InterpreterOptions) {
    this.#options = options;
    const { env, emit, isCheck = false } = options;
    this.#variables = new Variables({ env, emit, isCheck });
  }

  /** Whether databases had to be left out. */
  get isPartial(): boolean {
    return this.#partial;
  }

  /** Names of the variables that commands can use, for completion. */
  get aliasNames(): readonly string[] {
    return [...this.#variables.aliases.list().map(({ name }) => name), ...this.#pendingAliases()];
  }

  /**
   * Runs one command. Answers whether another one may follow.
   *
   * @throws a {@link ScriptFailure} with the place in the script; {@link AbortError}.
   */
  async run(statement: Statement, file: string): Promise<'go on' | 'exit'> {
    const { command, line, column, text } = statement;
    if (this.#options.signal?.aborted) throw new AbortError(this.#options.signal.reason);
    this.#options.emit({ type: 'command', file, line, text });
    if (command.type === 'exit') return 'exit';
    this.#variables.takeUsedUnknown();
    try {
      await this.#perform(command, { line, column });
    } catch (thrown) {
      if (this.#variables.takeUsedUnknown() && !(thrown instanceof ScriptFailure && thrown.code === 'ERR_STATE')) {
        const message = `line ${line} depends on a variable that is known only where the script runs, and cannot be judged`;
        this.#options.emit({ type: 'note', message });
        return 'go on';
      }
      if (thrown instanceof ScriptFailure) throw thrown;
      const error = toPublicError(thrown);
      if (error instanceof AbortError) throw error;
      throw new ScriptFailure({ line, column }, error.message, error.hint, error.code);
    }
    return 'go on';
  }

  /**
   * Ends what is open, as `reset` and the end of a script do. Answers what went wrong. After a `failed` script what it has
   * made and nothing has used goes too, and the rest is named: nobody would look for it.
   */
  async close(place: ScriptPlace, file: string, script: ScriptState): Promise<readonly ScriptProblem[]> {
    const problems: ScriptProblem[] = [];
    const steps = [
      ...this.#backups.map(({ backup, isUsed }) => async () => {
        const isWanted = script === 'sound' || isUsed || this.#options.keepsUnused === true;
        const { warnings, isTakenBack } = await backup.release(isWanted ? script : 'unused');
        for (const message of warnings) this.#options.emit({ type: 'warning', message });
        if (isTakenBack) this.#made.gone(backup.shadows.map(({ id }) => id));
      }),
      async () => this.#giveUpRestore(),
    ];
    this.#backups = [];
    this.#backupBegun = false;
    for (const step of steps) {
      await step().catch((thrown: unknown) => {
        const { message, hint, code } = toPublicError(thrown);
        problems.push(new ScriptFailure(place, message, hint, code).in(file));
      });
    }
    this.#restore = undefined;
    const left = this.left;
    if (script === 'failed' && left.length > 0) this.#options.emit({ type: 'left', shadows: left });
    return problems;
  }

  /** Persistent shadow copies that the script has made and that are still there. */
  get left(): readonly LeftShadow[] {
    return this.#made.list().map(({ shadow: { id, setId, mountedAs, volume }, exposedAs }) => {
      return { id, setId, volume: mountedAs || volume, exposedAs };
    });
  }

  async #perform(command: ScriptCommand, place: ScriptPlace): Promise<void> {
    const { target, emit } = this.#options;
    switch (command.type) {
      case 'show-settings': {
        const { context, options, metadataFile, verbose } = this.#settings;
        const backup = this.#backupBegun ? 'full' : 'copy';
        emit({ type: 'settings', context, options, metadata: metadataFile, verbose, backup });
        return;
      }
      case 'set-context':
        this.#settings = { ...this.#settings, context: command.context };
        return;
      case 'set-context-transportable': {
        const others = this.#settings.options.filter((option) => option !== 'transportable');
        this.#settings = { ...this.#settings, options: [...others, 'transportable'] };
        const message = 'there is no context transportable: taken for "set option transportable"; the context stays';
        emit({ type: 'note', message });
        return;
      }
      case 'set-option':
        this.#settings = { ...this.#settings, options: command.options };
        return;
      case 'set-metadata':
        this.#settings = { ...this.#settings, metadataFile: await target.metadataFile(this.#text(command.file)) };
        return;
      case 'set-verbose':
        this.#settings = { ...this.#settings, verbose: command.on };
        return;
      case 'load-metadata':
        return this.#loadMetadata(command.file);
      case 'reset':
        return this.#reset(place);
      case 'list-writers':
        emit({ type: 'writers', detail: command.detail, writers: await target.listWriters(command.detail) });
        return;
      case 'list-shadows':
        return this.#listShadows(command.by === 'all' ? { by: 'all' } : this.#byId(command.by, command.what));
      case 'list-providers':
        emit({ type: 'providers', providers: await target.listProviders() });
        return;
      case 'begin-backup':
        return this.#beginBackup(place);
      case 'end-backup':
        return this.#endBackup();
      case 'begin-restore':
        return this.#beginRestore(place);
      case 'end-restore':
        return this.#endRestore(place);
      case 'simulate-restore':
        return this.#simulateRestore(place);
      case 'show-added': {
        const aliases = this.#variables.aliases.list();
        emit({ type: 'added', volumes: this.#volumes, aliases });
        return;
      }
      case 'add-volume':
        return this.#addVolume(command);
      case 'add-alias': {
        const name = this.#newAlias(command.name);
        this.#redefine(name, this.#text(command.value));
        return;
      }
      case 'writer': {
        const writer = command.writer.map((word) => this.#text(word)).join(' ');
        this.#writers = { ...this.#writers, [command.rule]: [...this.#writers[command.rule], writer] };
        return;
      }
      case 'create':
        return this.#create(place);
      case 'import':
        return this.#import(place);
      case 'exec':
        return this.#exec(command.file);
      case 'expose':
        return this.#expose(command.shadow, command.place);
      case 'unexpose':
        return this.#unexpose(command.what);
      case 'break':
        return this.#break(command.set, command.writable ? 'writable' : 'read-only');
      case 'mask':
        return this.#break(command.set, 'mask');
      case 'delete-shadows':
        return this.#delete(command.selector);
      case 'revert':
        return this.#revert(command.shadow);
      case 'help':
        emit({ type: 'help', forms: commandForms });
        return;
      case 'exit':
        return;
    }
  }

  #addVolume({ volume, alias, provider }: Extract<ScriptCommand, { type: 'add-volume' }>): Promise<void> {
    const text = this.#text(volume);
    // What only a run can know is taken for a volume.
    const name = readVolume(text) ?? (this.#variables.usedUnknown ? text : undefined);
    if (name === undefined) {
      throw new ScriptFailure(
        volume,
        `"${volume.text}" is not a volume`,
        'write a drive (d:), the full path of a mount point, or \\\\?\\Volume{…}\\',
      );
    }
    const newAlias = alias ? this.#newAlias(alias, `VSS_SHADOW_${this.#volumes.length + 1}`) : '';
    const providerId = provider ? this.#id(provider, 'list providers shows the ids') : '';
    return this.#addSupported(volume, { volume: name, alias: newAlias, providerId });
  }

  async #addSupported(word: Word, added: Pick<AddedVolume, 'volume' | 'alias' | 'providerId'>): Promise<void> {
    const { target } = this.#options;
    const { volume, providerId } = added;
    const device = await target.resolveVolume(volume);
    const twin = this.#volumes.find((other) => other.device.toLowerCase() === device.toLowerCase());
    if (twin) {
      const isSame = twin.volume.toLowerCase() === volume.toLowerCase();
      const message = isSame
        ? `${volume} has been added already, by line ${twin.line}`
        : `${volume} is on the same volume as ${twin.volume}, which line ${twin.line} has added already`;
      const remedy = isSame ? 'remove this line' : 'remove one of the two lines: a shadow copy holds the whole volume';
      throw new ScriptFailure(word, message, remedy, 'ERR_STATE');
    }
    if (!(await target.isVolumeSupported({ volume, providerId }))) {
      const by = providerId === '' ? 'no provider' : `provider ${providerId} does not`;
      const message = `${providerId === '' ? `${by} makes` : `${by} make`} shadow copies of ${volume}`;
      throw new ScriptFailure(word, message, errorCodes.ERR_VSS_VOLUME.action, 'ERR_VSS_VOLUME');
    }
    this.#volumes = [...this.#volumes, { ...added, device, line: word.line }];
  }

  /** `automatic` is the name that the volume would get anyway. */
  #newAlias(word: Word, automatic = ''): string {
    const name = this.#text(word);
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
      this.#options.emit({ type: 'warning', message });
    }
    return name;
  }

  /** Says so when the name stood for something else. */
  #redefine(name: string, value: string): void {
    const before = this.#variables.aliases.get(name);
    if (before !== undefined && before !== value) {
      const type = isAutomaticAlias(name) ? 'note' : 'warning';
      this.#options.emit({ type, message: `%${name}% stood for ${before} until now` });
    }
    this.#variables.aliases.set(name, value);
  }

  async #create(place: ScriptPlace): Promise<void> {
    const { target, emit } = this.#options;
    const [volumes, settings] = [this.#volumes, this.#settings];
    if (volumes.length === 0) throw this.#outOfOrder(place, 'no volume has been added', 'add one first: add volume d:');
    if (this.#restore) throw this.#outOfOrder(place, 'a restore has begun', 'end it first: end restore');
    const { context, options } = settings;
    const backupType = this.#backupBegun ? 'full' : 'copy';
    this.#warnAboutRules(context, backupType);
    const metadataFile = settings.metadataFile === '' ? await target.metadataFile('') : settings.metadataFile;
    const request: CreateRequest = {
      context,
      options,
      backupType,
      volumes,
      writers: context.writers ? this.#writers : { exclude: [], verify: [] },
      metadataFile,
      onProgress: (progress) => {
        emit({ type: 'progress', progress });
      },
    };
    const backup = await target.create(request);
    this.#backups = [...this.#backups, { backup, isUsed: false }];
    this.#made.add(backup.shadows);
    this.#volumes = [];
    this.#partial ||= backup.outcome === 'partial';
    this.#reportWriters(backup);
    for (const message of backup.warnings) emit({ type: 'warning', message });
    const names = volumes.map(({ alias }, index) => alias || `VSS_SHADOW_${index + 1}`);
    for (const [index, shadow] of backup.shadows.entries()) {
      this.#define(names[index] ?? `VSS_SHADOW_${index + 1}`, shadow.id, 'shadow');
    }
    this.#define(setAlias, backup.setId, 'set');
    emit({ type: 'created', setId: backup.setId, shadows: this.#listed(backup.shadows) });
    await backup.saveMetadata(writeManifestXml(backup.setId, request, this.#variables.aliases.list()));
    emit({ type: 'metadata', action: 'written', file: metadataFile });
  }

  #warnAboutRules({ writers }: ScriptContext, backupType: 'copy' | 'full'): void {
    const { emit } = this.#options;
    if (writers && backupType === 'full') {
      const message =
        'begin backup with writers makes a full backup: other applications (SQL Server, Exchange, …) count it in their ' +
        'own backup chains and may truncate their logs; leave out begin backup, or use nowriters, to keep them out of it';
      emit({ type: 'warning', message });
    }
    const rules = [...this.#writers.exclude, ...this.#writers.verify];
    if (!writers && rules.length > 0) {
      const message = `the context has no writers: the rules for ${rules.join(', ')} have no effect`;
      emit({ type: 'note', message });
    }
  }

  #reportWriters({ writers }: ScriptBackup): void {
    if (!this.#settings.verbose) return;
    for (const { name, excluded } of writers) {
      const message = excluded === '' ? `writer "${name}" takes part` : `writer "${name}" is left out: ${excluded}`;
      this.#options.emit({ type: 'detail', message });
    }
  }

  #beginBackup(place: ScriptPlace): Promise<void> {
    const { emit } = this.#options;
    if (this.#restore) throw this.#outOfOrder(place, 'a restore has begun', 'end it first: end restore');
    if (this.#backupBegun) emit({ type: 'note', message: 'a backup has been begun already' });
    else if (this.#backups.length > 0) {
      emit({ type: 'warning', message: 'shadow copies made before begin backup belong to a copy backup and stay so' });
    }
    this.#backupBegun = true;
    emit({ type: 'backup', action: 'begun' });
    return Promise.resolve();
  }

  async #endBackup(): Promise<void> {
    const { emit } = this.#options;
    if (!this.#backupBegun) {
      const message = 'no backup was begun in this process, so there is nothing to end';
      emit({ type: 'note', message });
      return;
    }
    this.#backupBegun = false;
    if (this.#backups.length === 0) {
      emit({ type: 'note', message: 'nothing was created since begin backup, so there is nothing to complete' });
      return;
    }
    for (const { backup } of this.#backups) {
      for (const message of await backup.complete()) emit({ type: 'note', message });
    }
    emit({ type: 'backup', action: 'completed' });
  }

  async #loadMetadata(word: Word): Promise<void> {
    const { target, emit } = this.#options;
    const file = this.#text(word);
    this.#metadata = await target.loadMetadata(file);
    this.#variables.hasUnknownAliases = this.#metadata.isUnknown === true;
    const aliases = readManifestAliases(this.#metadata.manifest);
    if (!aliases) {
      emit({ type: 'note', message: 'another program has written these metadata; their aliases are not known' });
    }
    for (const { name, value } of aliases ?? []) this.#define(name, value, 'value');
    emit({ type: 'metadata', action: 'loaded', file });
  }

  async #import(place: ScriptPlace): Promise<void> {
    const metadata = this.#requireMetadata(place);
    const shadows = await this.#options.target.importShadows(metadata);
    const { emit } = this.#options;
    emit({ type: 'shadows', title: 'Imported shadow copies', shadows: this.#listed(shadows) });
    if (shadows.some(({ persistent }) => !persistent)) {
      const message = 'the set is volatile and has gone again: write "set context persistent" where it is made';
      emit({ type: 'warning', message });
    }
  }

  async #beginRestore(place: ScriptPlace): Promise<void> {
    if (this.#restore) throw this.#outOfOrder(place, 'a restore has begun already', 'end it first: end restore');
    if (this.#backupBegun) throw this.#outOfOrder(place, 'a backup has begun', 'end it first: end backup, then reset');
    const restore = await this.#options.target.beginRestore(this.#requireMetadata(place));
    this.#restore = restore;
    this.#unendedOutcome = 'none';
    await restore.preRestore();
    this.#unendedOutcome = 'failed';
    this.#options.emit({ type: 'restore', action: 'begun', writers: restore.writers });
  }

  async #endRestore(place: ScriptPlace): Promise<void> {
    const restore = this.#restore;
    if (!restore) throw this.#outOfOrder(place, 'no restore has begun', 'begin one first: begin restore');
    this.#restore = undefined;
    try {
      await restore.postRestore('all');
    } finally {
      await restore.close();
    }
    this.#options.emit({ type: 'restore', action: 'ended', writers: restore.writers });
  }

  /** Writers were told that their files come back. Whoever has not written `end restore` has not said that they did. */
  async #giveUpRestore(): Promise<void> {
    try {
      await this.#restore?.postRestore(this.#unendedOutcome);
    } finally {
      await this.#restore?.close();
    }
  }

  async #simulateRestore(place: ScriptPlace): Promise<void> {
    if (this.#restore) throw this.#outOfOrder(place, 'a restore has begun', 'end it first: end restore');
    const restore = await this.#options.target.beginRestore(this.#requireMetadata(place));
    await restore.close();
    this.#options.emit({ type: 'restore', action: 'simulated', writers: restore.writers });
  }

  #requireMetadata(place: ScriptPlace): ScriptMetadata {
    if (this.#metadata) return this.#metadata;
    throw this.#outOfOrder(place, 'no metadata have been loaded', 'load them first: load metadata FILE.cab');
  }

  async #reset(place: ScriptPlace): Promise<void> {
    const problems = await this.close(place, '', 'sound');
    this.#settings = defaults;
    this.#volumes = [];
    this.#writers = { exclude: [], verify: [] };
    this.#metadata = undefined;
    this.#variables.aliases.clear();
    this.#variables.hasUnknownAliases = false;
    const [first] = problems;
    if (first) throw new ScriptFailure(place, first.message, first.remedy, first.code);
  }

  async #listShadows(selector: ShadowSelector): Promise<void> {
    const shadows = await this.#options.target.listShadows(selector);
    const title =
      selector.by === 'set'
        ? `Querying all shadow copies with the shadow copy set ID ${selector.setId}`
        : selector.by === 'id'
          ? `Querying the shadow copy with the ID ${selector.id}`
          : 'Querying all shadow copies on the computer';
    this.#options.emit({ type: 'shadows', title, shadows: this.#listed(shadows) });
  }

  /** `expose` before `create` is refused by diskshadow; what is meant is plain as long as the volume has been added. */
  async #expose(shadow: Word, place: Word): Promise<void> {
    const { target, emit } = this.#options;
    const to = this.#place(place);
    const remedy = 'use the alias of the volume, or see list shadows all';
    const pending = this.#pendingAlias(shadow);
    const made = pending === undefined ? this.#id(shadow, remedy) : undefined;
    this.#requireFree(to, place);
    if (pending !== undefined) {
      emit({ type: 'note', message: `%${pending}% is not created yet; create comes first and is done now` });
      await this.#create(shadow);
    }
    const id = made ?? this.#id(shadow, remedy);
    const volatile = this.#backups
      .flatMap(({ backup }) => backup.shadows)
      .find((made) => made.id === id && !made.persistent);
    if (volatile) {
      const message = `${id} is volatile, and only persistent shadow copies can be exposed`;
      throw new ScriptFailure(shadow, message, 'write "set context persistent" before create', 'ERR_VSS_CONTEXT');
    }
    const as = await target.expose({ id, place: to });
    this.#made.exposed(id, as, place.line);
    emit({ type: 'exposed', id, as });
  }

  /** What the script itself says of a place. */
  #requireFree({ as }: ExposePlace, place: ScriptPlace): void {
    this.#made.requireFree(as, place);
    const volume = this.#volumes.find((added) => added.volume.toLowerCase() === `${as}\\`.toLowerCase());
    if (!volume) return;
    const message = `${as} is taken: it is the volume that line ${volume.line} adds`;
    throw new ScriptFailure(place, message, 'write a free drive letter', 'ERR_STATE');
  }

  #place(word: Word): ExposePlace {
    const text = this.#text(word);
    const place = readPlace(text);
    if (place) return place;
    const remedy = /^[a-z]$/i.test(text)
      ? `write ${text}: for the drive; the name of a share must be longer than one letter`
      : 'write a free drive letter (b:), the full path of an empty directory, or the plain name of a share';
    throw new ScriptFailure(word, `"${word.text}" is not a place to expose at`, remedy);
  }

  async #unexpose(word: Word): Promise<void> {
    const { target, emit } = this.#options;
    const selector = this.#exposed(word);
    const as = await target.unexpose(selector);
    this.#made.unexposed(selector.by === 'id' ? { id: selector.id } : { as: selector.as });
    if (as === undefined)
      emit({ type: 'note', message: `nothing is exposed at ${word.text}, so there is nothing to take away` });
    else emit({ type: 'unexposed', as });
  }

  #pendingAlias({ parts }: Word): string | undefined {
    return parts
      .flatMap((part) => (part.type === 'variable' ? [part.name] : []))
      .find((name) => {
        const isPending = this.#pendingAliases().some((alias) => alias.toUpperCase() === name.toUpperCase());
        return isPending && this.#variables.aliases.get(name) === undefined;
      });
  }

  #pendingAliases(): readonly string[] {
    return this.#volumes.map(({ alias }, index) => alias || `VSS_SHADOW_${index + 1}`);
  }

  #exposed(word: Word): Extract<ShadowSelector, { readonly by: 'id' | 'exposed' }> {
    const text = this.#text(word);
    const id = readId(text);
    if (id !== undefined) return { by: 'id', id };
    const place = readPlace(text);
    if (place) return { by: 'exposed', as: place.as };
    const remedy = /^[a-z]$/i.test(text) ? `write ${text}:` : 'see list shadows all';
    throw new ScriptFailure(word, `"${text}" is neither an id nor a place`, remedy);
  }

  async #break(word: Word, how: 'read-only' | 'writable' | 'mask'): Promise<void> {
    const id = this.#id(word, `use %${setAlias}%, or see list shadows all`);
    const setId = await this.#setOf(id);
    await this.#options.target.breakSet({ setId, how });
    this.#made.gone(this.#made.idsOfSet(setId));
    this.#options.emit({ type: 'broken', setId, how });
  }

  /** The set of a shadow copy, by whose id it may be named; any other id is that of a set. */
  async #setOf(id: string): Promise<string> {
    const { target, isCheck, emit } = this.#options;
    const made = this.#backups.flatMap(({ backup }) => backup.shadows).find((shadow) => shadow.id === id);
    const [shadow] = made || isCheck ? [made] : await target.listShadows({ by: 'id', id });
    if (!shadow) return id;
    const message = `${id} is a shadow copy: meant is its set ${shadow.setId}, of ${shadow.setCount}`;
    emit({ type: 'note', message });
    return shadow.setId;
  }

  async #delete(written: WrittenSelector): Promise<void> {
    const { target, emit } = this.#options;
    const selector = this.#selector(written);
    const deleted = await target.deleteShadows(selector, (found) => {
      const foreign = found.filter(({ own }) => !own);
      if (foreign.length === 0) return;
      const names = foreign.map(({ id, mountedAs, volume, created }) => {
        return `\n  ${id} of ${mountedAs || volume}, made ${formatTime(created)}`;
      });
      const message = `${foreign.length} of ${found.length} are not known to be ours:${names.join('')}`;
      emit({ type: 'note', message });
    });
    this.#made.gone(deleted.map(({ id }) => id));
    emit({ type: 'deleted', shadows: this.#listed(deleted) });
  }

  #selector(written: WrittenSelector): ShadowSelector {
    switch (written.by) {
      case 'all':
        return { by: 'all' };
      case 'set':
      case 'id':
        return this.#byId(written.by, written.what);
      case 'volume':
      case 'oldest': {
        const text = this.#text(written.what);
        const volume = readVolume(text);
        if (volume !== undefined) return { by: written.by, volume };
        const isId = readId(text) !== undefined;
        const remedy = isId ? `that is an id: delete shadows id ${written.what.text}` : 'write a drive, for example d:';
        throw new ScriptFailure(written.what, `"${written.what.text}" is not a volume`, remedy);
      }
      case 'exposed': {
        const place = readPlace(this.#text(written.what));
        if (place) return { by: 'exposed', as: place.as };
        throw new ScriptFailure(written.what, `"${written.what.text}" is not a place`, 'see list shadows all');
      }
    }
  }

  #byId(by: 'set' | 'id', word: Word): ShadowSelector {
    const id = this.#id(word, 'see list shadows all');
    return by === 'set' ? { by, setId: id } : { by, id };
  }

  async #revert(word: Word): Promise<void> {
    const id = this.#id(word, 'see list shadows all');
    this.#options.emit({ type: 'reverted', id, volume: await this.#options.target.revert(id) });
  }

  async #exec(word: Word): Promise<void> {
    const { target, emit, env } = this.#options;
    const file = this.#text(word);
    if (!/\.(?:cmd|bat|exe|com)$/i.test(file)) {
      throw new ScriptFailure(
        word,
        `"${file}" is not a script file`,
        'name a .cmd or .bat file, and let it run the rest',
      );
    }
    // Whatever it is, it may use the shadow copies that are there, and leave them to somebody else.
    this.#backups = this.#backups.map(({ backup }) => ({ backup, isUsed: true }));
    const exitCode = await target.execute({
      file,
      env: this.#variables.aliases.environment(env),
      onOutput: (text) => {
        emit({ type: 'output', text });
      },
    });
    emit({ type: 'executed', file, exitCode });
    if (exitCode !== 0) {
      const message = `${file} has ended with exit code ${exitCode}`;
      throw new ScriptFailure(word, message, errorCodes.ERR_EXEC.action, 'ERR_EXEC');
    }
  }

  #define(name: string, value: string, of: 'shadow' | 'set' | 'value'): void {
    this.#redefine(name, value);
    this.#options.emit({ type: 'alias', name, value, of });
  }

  #listed(shadows: readonly ScriptShadow[]): ListedAs[] {
    return shadows.map((shadow) => ({
      shadow,
      alias: this.#variables.aliases.nameOf(shadow.id) ?? '',
      setAlias: this.#variables.aliases.nameOf(shadow.setId) ?? '',
    }));
  }

  #id(word: Word, remedy: string): string {
    const text = this.#text(word);
    const id = readId(text);
    if (id !== undefined) return id;
    const alias = this.#variables.aliases.get(text);
    const hint = alias === undefined ? remedy : `an alias is written %${text}%`;
    throw new ScriptFailure(word, `"${text}" is not an id such as {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}`, hint);
  }

  #text(word: Word): string {
    return this.#variables.text(word, this.#pendingAliases());
  }

  #outOfOrder(place: ScriptPlace, message: string, remedy: string): ScriptFailure {
    const code: ErrorCode = 'ERR_STATE';
    return new ScriptFailure(place, message, remedy, code);
  }
}
