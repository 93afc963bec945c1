import { AbortError, toPublicError } from '../errors/errors';
import { errorCodes } from '../errors/codes';
import { AddedVolumes } from './added-volumes';
import { BackupCommands } from './backup-commands';
import type { ScriptCommand, Statement } from './commands';
import type { LeftShadow, ScriptEventListener } from './events';
import { commandForms } from './grammar';
import type { Word } from './lexer';
import { MetadataCommands } from './metadata-commands';
import { MadeShadows } from './places';
import { ScriptFailure, type ScriptPlace, type ScriptProblem } from './problem';
import { RestoreCommands } from './restore-commands';
import { ScriptSettings } from './settings';
import { ShadowCommands } from './shadow-commands';
import type { ScriptState, ScriptTarget } from './target';
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

/** Runs commands one by one and holds the state between them. Call {@link close} in a `finally`. */
export class Interpreter {
  readonly #options: InterpreterOptions;
  readonly #variables: Variables;
  readonly #volumes: AddedVolumes;
  readonly #words: WordReader;
  readonly #restore: RestoreCommands;
  readonly #shadows: ShadowCommands;
  readonly #backups: BackupCommands;
  readonly #metadata: MetadataCommands;
  readonly #settings = new ScriptSettings();
  readonly #made = new MadeShadows();

  constructor(options: InterpreterOptions) {
    this.#options = options;
    const { target, env, emit, isCheck = false, keepsUnused = false } = options;
    this.#variables = new Variables({ env, emit, isCheck });
    this.#volumes = new AddedVolumes(target, this.#variables, emit);
    this.#words = this.#volumes.reader;
    this.#restore = new RestoreCommands(target, emit);
    const shared = { target, emit, words: this.#words, variables: this.#variables, made: this.#made };
    this.#shadows = new ShadowCommands({
      ...{ ...shared, isCheck, aliases: this.#variables.aliases },
      open: () => this.#backups.openShadows,
    });
    this.#metadata = new MetadataCommands({ ...shared, shadows: this.#shadows });
    this.#backups = new BackupCommands({
      ...{ ...shared, keepsUnused, settings: this.#settings, volumes: this.#volumes },
      ...{ shadows: this.#shadows, restore: this.#restore },
    });
  }

  /** Whether databases had to be left out. */
  get isPartial(): boolean {
    return this.#backups.isPartial;
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
    const steps = [...this.#backups.release(script), () => this.#restore.giveUp()];
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
        const { context, options, metadataFile, verbose } = this.#settings.current;
        const backup = this.#backups.backupType;
        emit({ type: 'settings', context, options, metadata: metadataFile, verbose, backup });
        return;
      }
      case 'set-context':
        this.#settings.set({ context: command.context });
        return;
      case 'set-context-transportable': {
        const others = this.#settings.current.options.filter((option) => option !== 'transportable');
        this.#settings.set({ options: [...others, 'transportable'] });
        const message =
          'there is no context transportable: treated as "set option transportable"; the context does not change';
        emit({ type: 'note', message });
        return;
      }
      case 'set-option':
        this.#settings.set({ options: command.options });
        return;
      case 'set-metadata':
        this.#settings.set({ metadataFile: await target.metadataFile(this.#words.text(command.file)) });
        return;
      case 'set-verbose':
        this.#settings.set({ verbose: command.on });
        return;
      case 'load-metadata':
        return this.#metadata.load(command.file);
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
        return this.#backups.begin(place);
      case 'end-backup':
        return this.#backups.end();
      case 'begin-restore':
        return this.#restore.begin(place, () => this.#metadata.require(place), this.#backups.isBegun);
      case 'end-restore':
        return this.#restore.end(place);
      case 'simulate-restore':
        return this.#restore.simulate(place, () => this.#metadata.require(place));
      case 'show-added': {
        const aliases = this.#variables.aliases.list();
        emit({ type: 'added', volumes: this.#volumes.list, aliases });
        return;
      }
      case 'add-volume':
        return this.#volumes.add(command);
      case 'add-alias': {
        const name = this.#volumes.newAlias(command.name);
        this.#variables.redefine(name, this.#words.text(command.value));
        return;
      }
      case 'writer': {
        const writer = command.writer.map((word) => this.#words.text(word)).join(' ');
        this.#settings.addRule(command.rule, writer);
        return;
      }
      case 'create':
        return this.#backups.create(place);
      case 'import':
        return this.#metadata.import(place);
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

  async #reset(place: ScriptPlace): Promise<void> {
    const problems = await this.close(place, '', 'sound');
    this.#settings.reset();
    this.#volumes.clear();
    this.#metadata.forget();
    this.#variables.aliases.clear();
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
      await this.#backups.create(shadow);
    }
    const id = made ?? this.#words.id(shadow, remedy);
    const volatile = this.#backups.openShadows.find((shadow) => shadow.id === id && !shadow.persistent);
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
    this.#backups.markUsed();
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
}
