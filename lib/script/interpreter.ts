import { AbortError, toPublicError } from '../errors/errors';
import { errorCodes } from '../errors/codes';
import { warning, type Warning } from '../errors/warnings';
import { AddedVolumes } from './added-volumes';
import { isAutomaticAlias } from './aliases';
import type { ScriptCommand, ScriptContext, ScriptOption, Statement } from './commands';
import type { LeftShadow, ScriptEventListener } from './events';
import { commandForms } from './grammar';
import type { Word } from './lexer';
import { readManifestAliases, writeManifestXml } from './metadata';
import { MadeShadows } from './places';
import { outOfOrder, ScriptFailure, type ScriptPlace, type ScriptProblem } from './problem';
import { RestoreCommands } from './restore-commands';
import { setAlias, ShadowCommands } from './shadow-commands';
import type {
  CreateRequest,
  SaidAtEnd,
  ScriptBackup,
  ScriptMetadata,
  ScriptShadow,
  ScriptState,
  ScriptTarget,
} from './target';
import { Variables } from './variables';
import type { WordReader } from './word-reader';

/** Settings of the interpreter. */
export interface InterpreterOptions {
  readonly target: ScriptTarget;
  readonly emit: ScriptEventListener;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** Whether nothing is really done. Then what depends on a variable that is only known in a real run is not checked. */
  readonly isCheck?: boolean | undefined;
  /** Whether unused sets are kept even after a failure, because the script has continued. Default: false. */
  readonly keepsUnused?: boolean | undefined;
}

interface Settings {
  readonly context: ScriptContext;
  readonly options: readonly ScriptOption[];
  /** Absolute path; empty for a generated name in the working directory. */
  readonly metadataFile: string;
  readonly verbose: boolean;
}

const defaults: Settings = {
  context: { lifetime: 'volatile', writers: true },
  options: [],
  metadataFile: '',
  verbose: false,
};

/** A set that this script has made and not released. */
interface OpenSet {
  readonly backup: ScriptBackup;
  /** Whether a program has run since it was made. */
  readonly isUsed: boolean;
}

/** Runs commands one by one and holds the state between them. Call {@link close} in a `finally`. */
export class Interpreter {
  readonly #options: InterpreterOptions;
  readonly #variables: Variables;
  readonly #volumes: AddedVolumes;
  readonly #words: WordReader;
  readonly #restore: RestoreCommands;
  readonly #shadows: ShadowCommands;
  readonly #made = new MadeShadows();
  #settings = defaults;
  #writers: CreateRequest['writers'] = { exclude: [], verify: [] };
  #backups: readonly OpenSet[] = [];
  #backupBegun = false;
  #metadata: ScriptMetadata | undefined;
  #partial = false;

  constructor(options: InterpreterOptions) {
    this.#options = options;
    const { target, env, emit, isCheck = false } = options;
    this.#variables = new Variables({ env, emit, isCheck });
    this.#volumes = new AddedVolumes(target, this.#variables, emit);
    this.#words = this.#volumes.reader;
    this.#restore = new RestoreCommands(target, emit);
    this.#shadows = new ShadowCommands({
      ...{ target, emit, isCheck, words: this.#words, aliases: this.#variables.aliases, made: this.#made },
      open: () => this.#openShadows,
    });
  }

  /** Whether databases had to be left out. */
  get isPartial(): boolean {
    return this.#partial;
  }

  /** Names of the variables that commands can use, for completion. */
  get aliasNames(): readonly string[] {
    return [...this.#variables.aliases.list().map(({ name }) => name), ...this.#volumes.pendingAliases];
  }

  /**
   * Runs one command. Returns whether another one may follow.
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
        const message = `line ${line} depends on a variable that is only known when the script runs, so it cannot be checked`;
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
   * Ends what is open, as `reset` and the end of a script do, and returns the failures. After a `failed` script, sets that
   * nothing has used are deleted and the rest is named, because nobody would look for it.
   */
  async close(place: ScriptPlace, file: string, script: ScriptState): Promise<readonly ScriptProblem[]> {
    const problems: ScriptProblem[] = [];
    const steps = [
      ...this.#backups.map(({ backup, isUsed }) => async () => {
        const isWanted = script === 'sound' || isUsed || this.#options.keepsUnused === true;
        const { isTakenBack, ...said } = await backup.release(isWanted ? script : 'unused');
        this.#tell(said);
        if (isTakenBack) this.#made.gone(backup.shadows.map(({ id }) => id));
      }),
      () => this.#restore.giveUp(),
    ];
    this.#backups = [];
    this.#backupBegun = false;
    for (const step of steps) {
      await step().catch((thrown: unknown) => {
        const { message, hint, code } = toPublicError(thrown);
        problems.push(new ScriptFailure(place, message, hint, code).in(file));
      });
    }
    const left = this.left;
    if (script === 'failed' && left.length > 0) this.#options.emit({ type: 'left', shadows: left });
    return problems;
  }

  /** Persistent shadow copies made by the script that still exist. */
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
        const message =
          'there is no context transportable: treated as "set option transportable"; the context does not change';
        emit({ type: 'note', message });
        return;
      }
      case 'set-option':
        this.#settings = { ...this.#settings, options: command.options };
        return;
      case 'set-metadata':
        this.#settings = { ...this.#settings, metadataFile: await target.metadataFile(this.#words.text(command.file)) };
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
        return this.#shadows.list(command.by === 'all' ? { by: 'all' } : this.#words.byId(command.by, command.what));
      case 'list-providers':
        emit({ type: 'providers', providers: await target.listProviders() });
        return;
      case 'begin-backup':
        return this.#beginBackup(place);
      case 'end-backup':
        return this.#endBackup();
      case 'begin-restore':
        return this.#restore.begin(place, () => this.#requireMetadata(place), this.#backupBegun);
      case 'end-restore':
        return this.#restore.end(place);
      case 'simulate-restore':
        return this.#restore.simulate(place, () => this.#requireMetadata(place));
      case 'show-added': {
        const aliases = this.#variables.aliases.list();
        emit({ type: 'added', volumes: this.#volumes.list, aliases });
        return;
      }
      case 'add-volume':
        return this.#volumes.add(command);
      case 'add-alias': {
        const name = this.#volumes.newAlias(command.name);
        this.#redefine(name, this.#words.text(command.value));
        return;
      }
      case 'writer': {
        const writer = command.writer.map((word) => this.#words.text(word)).join(' ');
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
        return this.#shadows.unexpose(command.what);
      case 'break':
        return this.#shadows.breakSet(command.set, command.writable ? 'writable' : 'read-only');
      case 'mask':
        return this.#shadows.breakSet(command.set, 'mask');
      case 'delete-shadows':
        return this.#shadows.delete(command.selector);
      case 'revert':
        return this.#shadows.revert(command.shadow);
      case 'help':
        emit({ type: 'help', forms: commandForms });
        return;
      case 'exit':
        return;
    }
  }

  #warn(what: Warning): void {
    this.#options.emit({ type: 'warning', ...what });
  }

  #tell({ warnings, notes }: SaidAtEnd): void {
    for (const one of warnings) this.#warn(one);
    for (const message of notes) this.#options.emit({ type: 'note', message });
  }

  /** Reports it if the name already had another value. */
  #redefine(name: string, value: string): void {
    const before = this.#variables.aliases.get(name);
    if (before !== undefined && before !== value) {
      const message = `%${name}% had the value ${before} until now`;
      if (isAutomaticAlias(name)) this.#options.emit({ type: 'note', message });
      else this.#warn(warning('WARN_ALIAS_REDEFINED', message, { subjects: [name] }));
    }
    this.#variables.aliases.set(name, value);
  }

  async #create(place: ScriptPlace): Promise<void> {
    const { target, emit } = this.#options;
    const { list: volumes, pendingAliases: names } = this.#volumes;
    const settings = this.#settings;
    if (volumes.length === 0) throw outOfOrder(place, 'no volume has been added', 'add one first: add volume d:');
    this.#restore.requireNoneBegun(place);
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
    this.#volumes.clear();
    this.#partial ||= backup.outcome === 'partial';
    this.#reportWriters(backup);
    for (const one of backup.warnings) this.#warn(one);
    for (const [index, shadow] of backup.shadows.entries()) {
      this.#define(names[index] ?? '', shadow.id, 'shadow');
    }
    this.#define(setAlias, backup.setId, 'set');
    emit({ type: 'created', setId: backup.setId, shadows: this.#shadows.listed(backup.shadows) });
    await backup.saveMetadata(writeManifestXml(backup.setId, request, this.#variables.aliases.list()));
    emit({ type: 'metadata', action: 'written', file: metadataFile });
  }

  #warnAboutRules({ writers }: ScriptContext, backupType: 'copy' | 'full'): void {
    const { emit } = this.#options;
    if (writers && backupType === 'full') {
      const message =
        'begin backup with writers makes a full backup: other applications (SQL Server, Exchange, …) include it in their ' +
        'own backup chains and may truncate their logs; omit begin backup, or use nowriters, to keep them out of it';
      this.#warn(warning('WARN_FULL_BACKUP', message));
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
    this.#restore.requireNoneBegun(place);
    if (this.#backupBegun) emit({ type: 'note', message: 'a backup has already begun' });
    else if (this.#backups.length > 0) {
      const message = 'shadow copies made before begin backup belong to a copy backup, and this does not change';
      this.#warn(warning('WARN_COPY_BACKUP_STAYS', message));
    }
    this.#backupBegun = true;
    emit({ type: 'backup', action: 'begun' });
    return Promise.resolve();
  }

  async #endBackup(): Promise<void> {
    const { emit } = this.#options;
    if (!this.#backupBegun) {
      const message = 'no backup has begun in this process, so there is nothing to end';
      emit({ type: 'note', message });
      return;
    }
    this.#backupBegun = false;
    if (this.#backups.length === 0) {
      emit({ type: 'note', message: 'nothing was created since begin backup, so there is nothing to complete' });
      return;
    }
    for (const { backup } of this.#backups) {
      this.#tell(await backup.complete());
    }
    emit({ type: 'backup', action: 'completed' });
  }

  async #loadMetadata(word: Word): Promise<void> {
    const { target, emit } = this.#options;
    const file = this.#words.text(word);
    this.#metadata = await target.loadMetadata(file);
    this.#variables.hasUnknownAliases = this.#metadata.isUnknown === true;
    const aliases = readManifestAliases(this.#metadata.manifest);
    if (!aliases) {
      emit({ type: 'note', message: 'these metadata were written by another program; their aliases are not known' });
    }
    for (const { name, value } of aliases ?? []) this.#define(name, value, 'value');
    emit({ type: 'metadata', action: 'loaded', file });
  }

  async #import(place: ScriptPlace): Promise<void> {
    const metadata = this.#requireMetadata(place);
    const shadows = await this.#options.target.importShadows(metadata);
    const { emit } = this.#options;
    emit({ type: 'shadows', title: 'Imported shadow copies', shadows: this.#shadows.listed(shadows) });
    if (shadows.some(({ persistent }) => !persistent)) {
      const message =
        'the set was volatile and no longer exists: write "set context persistent" in the script that makes it';
      this.#warn(warning('WARN_SET_VOLATILE', message));
    }
  }

  #requireMetadata(place: ScriptPlace): ScriptMetadata {
    if (this.#metadata) return this.#metadata;
    throw outOfOrder(place, 'no metadata have been loaded', 'load them first: load metadata FILE.cab');
  }

  async #reset(place: ScriptPlace): Promise<void> {
    const problems = await this.close(place, '', 'sound');
    this.#settings = defaults;
    this.#volumes.clear();
    this.#writers = { exclude: [], verify: [] };
    this.#metadata = undefined;
    this.#variables.aliases.clear();
    this.#variables.hasUnknownAliases = false;
    const [first] = problems;
    if (first) throw new ScriptFailure(place, first.message, first.remedy, first.code);
  }

  /** diskshadow refuses `expose` before `create`; but if the volume has been added, the meaning is clear. */
  async #expose(shadow: Word, place: Word): Promise<void> {
    const { target, emit } = this.#options;
    const to = this.#words.place(place);
    const remedy = 'use the alias of the volume, or see list shadows all';
    const pending = this.#volumes.pendingAlias(shadow);
    const made = pending === undefined ? this.#words.id(shadow, remedy) : undefined;
    this.#made.requireFree(to.as, place);
    this.#volumes.requireFree(to, place);
    if (pending !== undefined) {
      emit({ type: 'note', message: `%${pending}% is not created yet; create has to come first and is run now` });
      await this.#create(shadow);
    }
    const id = made ?? this.#words.id(shadow, remedy);
    const volatile = this.#openShadows.find((shadow) => shadow.id === id && !shadow.persistent);
    if (volatile) {
      const message = `${id} is volatile, and only persistent shadow copies can be exposed`;
      throw new ScriptFailure(shadow, message, 'write "set context persistent" before create', 'ERR_VSS_CONTEXT');
    }
    const as = await target.expose({ id, place: to });
    this.#made.exposed(id, as, place.line);
    emit({ type: 'exposed', id, as });
  }

  async #exec(word: Word): Promise<void> {
    const { target, emit, env } = this.#options;
    const file = this.#words.text(word);
    if (!/\.(?:cmd|bat|exe|com)$/i.test(file)) {
      throw new ScriptFailure(word, `"${file}" is not a script file`, 'name a .cmd or .bat file that runs the program');
    }
    // The program may use the existing shadow copies, or leave them to another program.
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
      const message = `${file} ended with exit code ${exitCode}`;
      throw new ScriptFailure(word, message, errorCodes.ERR_EXEC.action, 'ERR_EXEC');
    }
  }

  get #openShadows(): readonly ScriptShadow[] {
    return this.#backups.flatMap(({ backup }) => backup.shadows);
  }

  #define(name: string, value: string, of: 'shadow' | 'set' | 'value'): void {
    this.#redefine(name, value);
    this.#options.emit({ type: 'alias', name, value, of });
  }
}
