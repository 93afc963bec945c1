import { warning, type Warning } from '../errors/warnings';
import type { AddedVolumes } from './added-volumes';
import type { ScriptContext } from './commands';
import type { ScriptEventListener } from './events';
import { writeManifestXml } from './metadata';
import type { MadeShadows } from './places';
import { outOfOrder, type ScriptPlace } from './problem';
import type { RestoreCommands } from './restore-commands';
import type { ScriptSettings } from './settings';
import { setAlias, type ShadowCommands } from './shadow-commands';
import type { CreateRequest, SaidAtEnd, ScriptBackup, ScriptShadow, ScriptState, ScriptTarget } from './target';
import type { Variables } from './variables';

/** A set that this script has made and not released. */
interface OpenSet {
  readonly backup: ScriptBackup;
  /** Whether a program has run since it was made. */
  readonly isUsed: boolean;
}

/** What these commands share with the rest of the script. */
interface BackupCommandsOptions {
  readonly target: ScriptTarget;
  readonly emit: ScriptEventListener;
  readonly settings: ScriptSettings;
  readonly variables: Variables;
  readonly volumes: AddedVolumes;
  readonly made: MadeShadows;
  readonly shadows: ShadowCommands;
  readonly restore: RestoreCommands;
  /** Whether unused sets are kept even after a failure, because the script has continued. */
  readonly keepsUnused: boolean;
}

/** `begin backup`, `create` and `end backup`, and the sets that they have made. */
export class BackupCommands {
  readonly #options: BackupCommandsOptions;
  #sets: readonly OpenSet[] = [];
  #begun = false;
  #partial = false;

  constructor(options: BackupCommandsOptions) {
    this.#options = options;
  }

  /** Whether databases had to be left out. */
  get isPartial(): boolean {
    return this.#partial;
  }

  get isBegun(): boolean {
    return this.#begun;
  }

  /** Full between `begin backup` and `end backup`; otherwise a copy backup. */
  get backupType(): 'copy' | 'full' {
    return this.#begun ? 'full' : 'copy';
  }

  get openShadows(): readonly ScriptShadow[] {
    return this.#sets.flatMap(({ backup }) => backup.shadows);
  }

  begin(place: ScriptPlace): Promise<void> {
    const { emit, restore } = this.#options;
    restore.requireNoneBegun(place);
    if (this.#begun) emit({ type: 'note', message: 'a backup has already begun' });
    else if (this.#sets.length > 0) {
      const message = 'shadow copies made before begin backup belong to a copy backup, and this does not change';
      this.#warn(warning('WARN_COPY_BACKUP_STAYS', message));
    }
    this.#begun = true;
    emit({ type: 'backup', action: 'begun' });
    return Promise.resolve();
  }

  async create(place: ScriptPlace): Promise<void> {
    const { target, emit, variables, made, shadows, restore } = this.#options;
    const { list: volumes, pendingAliases: names } = this.#options.volumes;
    const { current: settings, writers } = this.#options.settings;
    if (volumes.length === 0) throw outOfOrder(place, 'no volume has been added', 'add one first: add volume d:');
    restore.requireNoneBegun(place);
    const { context, options } = settings;
    const { backupType } = this;
    this.#warnAboutRules(context, backupType);
    const metadataFile = settings.metadataFile === '' ? await target.metadataFile('') : settings.metadataFile;
    const request: CreateRequest = {
      context,
      options,
      backupType,
      volumes,
      writers: context.writers ? writers : { exclude: [], verify: [] },
      metadataFile,
      onProgress: (progress) => {
        emit({ type: 'progress', progress });
      },
    };
    const backup = await target.create(request);
    this.#sets = [...this.#sets, { backup, isUsed: false }];
    made.add(backup.shadows);
    this.#options.volumes.clear();
    this.#partial ||= backup.outcome === 'partial';
    this.#reportWriters(backup);
    for (const one of backup.warnings) this.#warn(one);
    for (const [index, shadow] of backup.shadows.entries()) {
      variables.define(names[index] ?? '', shadow.id, 'shadow');
    }
    variables.define(setAlias, backup.setId, 'set');
    emit({ type: 'created', setId: backup.setId, shadows: shadows.listed(backup.shadows) });
    await backup.saveMetadata(writeManifestXml(backup.setId, request, variables.aliases.list()));
    emit({ type: 'metadata', action: 'written', file: metadataFile });
  }

  #warnAboutRules({ writers }: ScriptContext, backupType: 'copy' | 'full'): void {
    const { emit, settings } = this.#options;
    if (writers && backupType === 'full') {
      const message =
        'begin backup with writers makes a full backup: other applications (SQL Server, Exchange, …) include it in their ' +
        'own backup chains and may truncate their logs; omit begin backup, or use nowriters, to keep them out of it';
      this.#warn(warning('WARN_FULL_BACKUP', message));
    }
    const rules = [...settings.writers.exclude, ...settings.writers.verify];
    if (!writers && rules.length > 0) {
      const message = `the context has no writers: the rules for ${rules.join(', ')} have no effect`;
      emit({ type: 'note', message });
    }
  }

  #reportWriters({ writers }: ScriptBackup): void {
    const { emit, settings } = this.#options;
    if (!settings.current.verbose) return;
    for (const { name, excluded } of writers) {
      const message = excluded === '' ? `writer "${name}" takes part` : `writer "${name}" is left out: ${excluded}`;
      emit({ type: 'detail', message });
    }
  }

  async end(): Promise<void> {
    const { emit } = this.#options;
    if (!this.#begun) {
      const message = 'no backup has begun in this process, so there is nothing to end';
      emit({ type: 'note', message });
      return;
    }
    this.#begun = false;
    if (this.#sets.length === 0) {
      emit({ type: 'note', message: 'nothing was created since begin backup, so there is nothing to complete' });
      return;
    }
    for (const { backup } of this.#sets) this.#tell(await backup.complete());
    emit({ type: 'backup', action: 'completed' });
  }

  /** A program runs now: it may use the existing shadow copies, or leave them to another program. */
  markUsed(): void {
    this.#sets = this.#sets.map(({ backup }) => ({ backup, isUsed: true }));
  }

  /** Lets go of the sets: one step for each, which may fail. After a `failed` script, unused ones are deleted. */
  release(script: ScriptState): readonly (() => Promise<void>)[] {
    const { made, keepsUnused } = this.#options;
    const steps = this.#sets.map(({ backup, isUsed }) => async () => {
      const isWanted = script === 'sound' || isUsed || keepsUnused;
      const { isTakenBack, ...said } = await backup.release(isWanted ? script : 'unused');
      this.#tell(said);
      if (isTakenBack) made.gone(backup.shadows.map(({ id }) => id));
    });
    this.#sets = [];
    this.#begun = false;
    return steps;
  }

  #warn(what: Warning): void {
    this.#options.emit({ type: 'warning', ...what });
  }

  #tell({ warnings, notes }: SaidAtEnd): void {
    for (const one of warnings) this.#warn(one);
    for (const message of notes) this.#options.emit({ type: 'note', message });
  }
}
