import { win32 } from 'node:path';
import { selectShadows, type ShadowSelector } from '../vss/shadows';
import type { VssProvider } from '../vss/providers';
import type { Writer } from '../vss/writers';
import type { ScriptEventListener } from './events';
import { generatedMetadataName, writeManifestXml } from './metadata';
import { requestedBackup } from './vss-options';
import {
  nothingSaid,
  type CreateRequest,
  type ScriptBackup,
  type ScriptMetadata,
  type ScriptRestore,
  type ScriptShadow,
  type ScriptTarget,
} from './target';

/** What a plan may look up on the machine it is for, without touching anything. */
export type PlanLookUp = Pick<ScriptTarget, 'requirePlace' | 'requireScriptFile' | 'loadMetadata'>;

/** Does nothing: reports what would be done, and answers as if it had been done. It has no means to change anything. */
export class PlanningTarget implements ScriptTarget {
  #ids = 0;
  /** The shadow copies that would exist by now. */
  #shadows: ScriptShadow[] = [];
  /** Whether a program would have run by now that may have created or removed places and files. */
  #mayHaveChanged = false;
  /** Whether existing shadow copies may have been deleted, or their exposures removed. */
  #shadowsMayGo = false;

  constructor(
    private readonly emit: ScriptEventListener,
    private readonly workingDirectory: string,
    private readonly lookUp?: PlanLookUp,
  ) {}

  metadataFile(file: string): Promise<string> {
    // An unknown variable usually stands for a directory, such as %TEMP%.
    if (file.startsWith('%')) return Promise.resolve(file);
    const path = win32.resolve(this.workingDirectory, file);
    const isDirectory = file === '' || /[\\/]$/.test(file);
    return Promise.resolve(isDirectory ? win32.join(path, generatedMetadataName(new Date(), 'COMPUTER')) : path);
  }

  resolveVolume(volume: string): Promise<string> {
    return Promise.resolve(volume);
  }

  isVolumeSupported(): Promise<boolean> {
    return Promise.resolve(true);
  }

  create(request: CreateRequest): Promise<ScriptBackup> {
    return Promise.resolve(request).then((checked) => {
      requestedBackup(checked);
      return this.#planSet(checked);
    });
  }

  #planSet(request: CreateRequest): ScriptBackup {
    const { context, options, backupType, volumes, metadataFile } = request;
    const names = volumes.map(({ volume }) => volume).join(', ');
    const writers = context.writers ? `with writers, as a ${backupType} backup` : 'without writers';
    const attributes = options.length > 0 ? `, ${options.join(' ')}` : '';
    this.#plan(`make one set of ${context.lifetime} shadow copies of ${names}, ${writers}${attributes}`);
    this.#plan(`write the metadata to ${metadataFile}`);
    const setId = this.#newId();
    const shadows = volumes.map(({ volume }) => this.#shadow(setId, volumes.length, volume, context.lifetime));
    this.#shadows.push(...shadows);
    return {
      setId,
      shadows,
      writers: [],
      warnings: [],
      outcome: 'complete',
      saveMetadata: () => Promise.resolve(),
      complete: () => {
        this.#plan('tell the writers that the backup is complete');
        return Promise.resolve(nothingSaid);
      },
      release: () => {
        if (context.lifetime === 'volatile') this.#plan(`release the volatile shadow copies of ${names}`);
        return Promise.resolve({ ...nothingSaid, isTakenBack: false });
      },
    };
  }

  loadMetadata(file: string): Promise<ScriptMetadata> {
    this.#plan(`read the metadata in ${win32.resolve(this.workingDirectory, file)}`);
    // Metadata of an earlier script can be read; those of this script do not exist yet.
    if (this.lookUp && !this.#mayHaveChanged && this.#ids === 0) return this.lookUp.loadMetadata(file);
    const request = { context: { lifetime: 'persistent', writers: true }, backupType: 'copy', volumes: [] } as const;
    return Promise.resolve({ manifest: writeManifestXml(this.#newId(), request, []), components: '', isUnknown: true });
  }

  importShadows(): Promise<readonly ScriptShadow[]> {
    this.#plan('import the shadow copies of the loaded metadata');
    return Promise.resolve([]);
  }

  beginRestore(): Promise<ScriptRestore> {
    this.#plan('find out which writers of the loaded metadata are present');
    return Promise.resolve({
      writers: [],
      preRestore: () => {
        this.#plan('tell them that a restore is beginning');
        return Promise.resolve();
      },
      postRestore: (outcome) => {
        this.#plan(`tell them that the restore has ${outcome === 'all' ? 'ended' : 'failed'}`);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    });
  }

  listShadows(selector: ShadowSelector): Promise<readonly ScriptShadow[]> {
    this.#plan(`list ${describeSelector(selector)}`);
    return Promise.resolve([]);
  }

  listWriters(): Promise<readonly Writer[]> {
    this.#plan('list the writers');
    return Promise.resolve([]);
  }

  listProviders(): Promise<readonly VssProvider[]> {
    this.#plan('list the providers');
    return Promise.resolve([]);
  }

  requirePlace(): Promise<void> {
    return Promise.resolve();
  }

  requireScriptFile(): Promise<void> {
    return Promise.resolve();
  }

  async expose({ id, place }: Parameters<ScriptTarget['expose']>[0]): Promise<string> {
    if (!this.#mayHaveChanged) await this.lookUp?.requirePlace(place, { shadowsMayGo: this.#shadowsMayGo });
    this.#plan(
      place.kind === 'share' ? `share the shadow copy as ${place.as}` : `expose the shadow copy at ${place.as}`,
    );
    this.#shadows = this.#shadows.map((shadow) => (shadow.id === id ? { ...shadow, exposedAs: place.as } : shadow));
    return place.as;
  }

  unexpose(selector: ShadowSelector): Promise<string> {
    this.#plan(`remove the exposure of ${describeSelector(selector)}`);
    this.#shadowsMayGo = true;
    return Promise.resolve('');
  }

  async deleteShadows(selector: ShadowSelector): Promise<readonly ScriptShadow[]> {
    this.#plan(`delete ${describeSelector(selector)}`);
    this.#shadowsMayGo = true;
    // The oldest one may or may not be of this script.
    const meant = selector.by === 'oldest' ? ({ ...selector, by: 'volume' } as const) : selector;
    const gone = await selectShadows(meant, this.#shadows, (volume) => Promise.resolve(volume));
    const ids = gone.map(({ id }) => id);
    const deleted = this.#shadows.filter(({ id }) => ids.includes(id));
    this.#shadows = this.#shadows.filter(({ id }) => !ids.includes(id));
    return deleted;
  }

  breakSet({ setId, how }: Parameters<ScriptTarget['breakSet']>[0]): Promise<void> {
    this.#plan(how === 'mask' ? `mask the set ${setId}` : `break the set ${setId} into ${how} volumes`);
    return Promise.resolve();
  }

  revert(id: string): Promise<string> {
    this.#plan(`revert a whole volume to the shadow copy ${id}`);
    return Promise.resolve('');
  }

  async execute({ file }: Parameters<ScriptTarget['execute']>[0]): Promise<number> {
    const path = win32.resolve(this.workingDirectory, file).toLowerCase();
    // A file in a shadow copy exists only once that is exposed.
    const isInShadow = this.#shadows.some(
      ({ exposedAs }) => exposedAs !== '' && path.startsWith(exposedAs.toLowerCase()),
    );
    if (!this.#mayHaveChanged && !isInShadow) await this.lookUp?.requireScriptFile(file);
    this.#mayHaveChanged = true;
    this.#plan(`run ${/[\\/:]/.test(file) ? win32.resolve(this.workingDirectory, file) : file}`);
    return 0;
  }

  #plan(text: string): void {
    this.emit({ type: 'plan', text });
  }

  #newId(): string {
    return `{00000000-0000-0000-0000-${String(++this.#ids).padStart(12, '0')}}`;
  }

  #shadow(
    setId: string,
    setCount: number,
    mountedAs: string,
    lifetime: CreateRequest['context']['lifetime'],
  ): ScriptShadow {
    return {
      id: this.#newId(),
      setId,
      setCount,
      volume: mountedAs,
      mountedAs,
      devicePath: '',
      root: '',
      created: new Date(0),
      state: 'created',
      context: undefined,
      attributes: [],
      persistent: lifetime !== 'volatile',
      exposedAs: '',
      exposedPath: '',
      providerId: '',
      originatingMachine: '',
      serviceMachine: '',
      own: true,
    };
  }
}

/** The selected shadow copies, in words. */
export function describeSelector(selector: ShadowSelector): string {
  switch (selector.by) {
    case 'all':
      return 'all shadow copies on this computer';
    case 'id':
      return `the shadow copy ${selector.id}`;
    case 'set':
      return `all shadow copies of the set ${selector.setId}`;
    case 'volume':
      return `all shadow copies of ${selector.volume}`;
    case 'oldest':
      return `the oldest shadow copy of ${selector.volume}`;
    case 'exposed':
      return `the shadow copy exposed at ${selector.as}`;
  }
}
