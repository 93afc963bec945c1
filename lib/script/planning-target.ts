import { win32 } from 'node:path';
import type { ShadowSelector } from '../vss/shadows';
import type { VssProvider } from '../vss/providers';
import type { Writer } from '../vss/writers';
import type { ScriptEventListener } from './events';
import { generatedMetadataName, writeManifestXml } from './metadata';
import { requestedBackup } from './vss-options';
import type { CreateRequest, ScriptBackup, ScriptMetadata, ScriptRestore, ScriptShadow, ScriptTarget } from './target';

/** Does nothing at all: says what would be done, and answers as if it had been. It has nothing it could do it with. */
export class PlanningTarget implements ScriptTarget {
  #ids = 0;

  constructor(
    private readonly emit: ScriptEventListener,
    private readonly workingDirectory: string,
  ) {}

  metadataFile(file: string): Promise<string> {
    const path = win32.resolve(this.workingDirectory, file);
    const isDirectory = file === '' || /[\\/]$/.test(file);
    return Promise.resolve(isDirectory ? win32.join(path, generatedMetadataName(new Date(), 'COMPUTER')) : path);
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
    return {
      setId,
      shadows: volumes.map(({ volume }) => this.#shadow(setId, volumes.length, volume, context.lifetime)),
      writers: [],
      warnings: [],
      outcome: 'complete',
      saveMetadata: () => Promise.resolve(),
      complete: () => {
        this.#plan('tell the writers that the backup is complete');
        return Promise.resolve([]);
      },
      release: () => {
        if (context.lifetime === 'volatile') this.#plan(`let the volatile shadow copies of ${names} go`);
        return Promise.resolve([]);
      },
    };
  }

  loadMetadata(file: string): Promise<ScriptMetadata> {
    this.#plan(`read the metadata in ${win32.resolve(this.workingDirectory, file)}`);
    const request = { context: { lifetime: 'persistent', writers: true }, backupType: 'copy', volumes: [] } as const;
    return Promise.resolve({ manifest: writeManifestXml(this.#newId(), request, []), components: '' });
  }

  importShadows(): Promise<readonly ScriptShadow[]> {
    this.#plan('import the shadow copies of the loaded metadata');
    return Promise.resolve([]);
  }

  beginRestore(): Promise<ScriptRestore> {
    this.#plan('ask which writers of the loaded metadata are there');
    return Promise.resolve({
      writers: [],
      preRestore: () => {
        this.#plan('tell them that a restore begins');
        return Promise.resolve();
      },
      postRestore: () => {
        this.#plan('tell them that the restore has ended');
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

  expose({ place }: Parameters<ScriptTarget['expose']>[0]): Promise<string> {
    this.#plan(
      place.kind === 'share' ? `share the shadow copy as ${place.as}` : `expose the shadow copy at ${place.as}`,
    );
    return Promise.resolve(place.as);
  }

  unexpose(selector: ShadowSelector): Promise<string> {
    this.#plan(`take the place of ${describeSelector(selector)} away`);
    return Promise.resolve('');
  }

  deleteShadows(selector: ShadowSelector): Promise<readonly ScriptShadow[]> {
    this.#plan(`delete ${describeSelector(selector)}`);
    return Promise.resolve([]);
  }

  breakSet({ setId, how }: Parameters<ScriptTarget['breakSet']>[0]): Promise<void> {
    this.#plan(how === 'mask' ? `mask the set ${setId}` : `break the set ${setId} into ${how} volumes`);
    return Promise.resolve();
  }

  revert(id: string): Promise<string> {
    this.#plan(`set a whole volume back to the shadow copy ${id}`);
    return Promise.resolve('');
  }

  execute({ file }: Parameters<ScriptTarget['execute']>[0]): Promise<number> {
    this.#plan(`run ${win32.resolve(this.workingDirectory, file)}`);
    return Promise.resolve(0);
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

/** The shadow copies that are meant, in words. */
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
