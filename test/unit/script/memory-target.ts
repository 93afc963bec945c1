import { win32 } from 'node:path';
import { toPublicError } from '#lib/errors/errors';
import type { ErrorCode } from '#lib/errors/codes';
import {
  nothingSaid,
  type CreateRequest,
  type ScriptBackup,
  type ScriptMetadata,
  type ScriptShadow,
  type ScriptTarget,
} from '#lib/script/target';
import { requestedBackup } from '#lib/script/vss-options';
import { generatedMetadataName } from '#lib/script/metadata';
import { selectShadows, type ShadowSelector } from '#lib/vss/shadows';
import type { VssProvider } from '#lib/vss/providers';
import { attributeWords, contextBits, contextOf } from '#lib/vss/words';
import type { ShadowAttribute, VssContext } from '#lib/native/vss';
import type { Writer } from '#lib/vss/writers';

export const systemProvider = '{b5946137-7b9f-4925-af80-51abd60b20d5}';
export const hardwareProvider = '{11111111-2222-3333-4444-555555555555}';

/** A script file that `exec` runs: returns its exit code and its output. */
type MemoryProgram = (env: Readonly<Record<string, string>>, machine: MemoryMachine) => MemoryOutcome;
interface MemoryOutcome {
  readonly exitCode: number;
  readonly output: string;
}

interface MemoryWriter {
  readonly name: string;
  readonly id: string;
  /** Whether it never takes part, because its files are elsewhere. */
  readonly isElsewhere?: boolean;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A computer in memory, shared by all targets that represent its processes. */
export class MemoryMachine {
  /** Volumes by mount point; only NTFS volumes can have persistent shadow copies. */
  readonly volumes = new Map<string, { readonly name: string; readonly fileSystem: 'NTFS' | 'FAT' | 'RAW' }>([
    ['C:\\', { name: volumeName(1), fileSystem: 'NTFS' }],
    ['D:\\', { name: volumeName(2), fileSystem: 'NTFS' }],
    ['E:\\', { name: volumeName(3), fileSystem: 'NTFS' }],
    ['D:\\mnt\\mail\\', { name: volumeName(4), fileSystem: 'NTFS' }],
    ['F:\\', { name: volumeName(5), fileSystem: 'FAT' }],
    ['R:\\', { name: volumeName(6), fileSystem: 'RAW' }],
    // On a disk array, whose provider VSS selects by itself.
    ['T:\\', { name: volumeName(7), fileSystem: 'NTFS' }],
  ]);
  readonly directories = new Set(['c:\\', 'c:\\work', 'c:\\backup', 'c:\\shadow', 'd:\\']);
  readonly cabinets = new Map<string, ReadonlyMap<string, string>>();
  readonly programs = new Map<string, MemoryProgram>([
    ['c:\\backup\\copy.cmd', (env) => ({ exitCode: 0, output: `copying ${env['backup_d'] ?? 'nothing'}\r\n` })],
    ['c:\\backup\\fails.cmd', () => ({ exitCode: 7, output: 'disk full\r\n' })],
    ['c:\\work\\relative.bat', () => ({ exitCode: 0, output: 'found\r\n' })],
    ['c:\\windows\\system32\\notepad.exe', () => ({ exitCode: 0, output: '' })],
    ['c:\\jobs\\nightly copy.cmd', (env) => ({ exitCode: 0, output: `set ${env['VSS_SHADOW_SET'] ?? '?'}\r\n` })],
  ]);
  readonly writers: readonly MemoryWriter[] = [
    { name: 'System Writer', id: '{e8132975-6f93-4464-a53e-1050253ae220}' },
    { name: 'SqlServerWriter', id: '{a65faa63-5ea8-4ebc-9dbd-a0c4db26912a}' },
    { name: 'Registry Writer', id: '{afbab4a2-367d-4d15-a586-71dbb18f8485}', isElsewhere: true },
  ];
  shadows: Mutable<ScriptShadow>[] = [];
  /** What writers and the system were told, in order. */
  readonly told: string[] = [];
  /** Targets with something open. */
  open = 0;
  #count = 0;

  next(): number {
    return ++this.#count;
  }

  newId(): string {
    return `{5ad0cafe-0000-4000-8000-${String(this.next()).padStart(12, '0')}}`;
  }

  /** A shadow copy of another program. */
  addForeign(mountedAs: string): ScriptShadow {
    const shadow = this.addShadow(mountedAs, this.newId(), 1, contextBits['client-accessible'], systemProvider);
    shadow.own = false;
    return shadow;
  }

  addShadow(
    mountedAs: string,
    setId: string,
    setCount: number,
    attributes: number,
    providerId: string,
  ): Mutable<ScriptShadow> {
    const number = this.next();
    const devicePath = `\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy${number}`;
    const words = attributeWords(attributes | 0x2_0000);
    const shadow = {
      id: this.newId(),
      setId,
      setCount,
      volume: this.volumes.get(mountedAs)!.name,
      mountedAs,
      devicePath,
      root: `${devicePath}\\`,
      created: new Date(Date.UTC(2026, 10, 1, 0, 0, number)),
      state: 'created' as const,
      context: contextOf(attributes),
      attributes: words,
      persistent: words.includes('persistent'),
      exposedAs: '',
      exposedPath: '',
      providerId,
      originatingMachine: 'SERVER',
      serviceMachine: 'SERVER',
      own: true,
    };
    this.shadows.push(shadow);
    return shadow;
  }
}

function isOnArray(volume: string): boolean {
  return volume.toUpperCase() === 'T:\\';
}

function volumeName(number: number): string {
  return `\\\\?\\Volume{00000000-aaaa-bbbb-cccc-${String(number).padStart(12, '0')}}\\`;
}

const optionBits = {
  differential: 0x2_0000,
  plex: 0x4_0000,
  transportable: 0x20,
  rollbackrecover: 0x80_0000,
  txfrecover: 0x200_0000,
  noautorecover: 0x2,
} as const;

/** Refuses as native code does. */
function refuse(code: ErrorCode, text: string): never {
  const call = { operation: '', domain: 'engine', status: 0, statusName: '', subject: '' } as const;
  throw toPublicError({ code, phase: 'shadow', text, ...call });
}

function noSuchFile(path: string): never {
  throw toPublicError(Object.assign(new Error(`there is no ${path}`), { code: 'ENOENT', syscall: 'open' }));
}

/** Behaves like VSS, including its rules: what it refuses, the real VSS refuses. */
export class MemoryTarget implements ScriptTarget {
  readonly #made = new Set<string>();

  constructor(
    readonly machine: MemoryMachine,
    readonly workingDirectory = 'c:\\work',
  ) {}

  async metadataFile(file: string): Promise<string> {
    const path = win32.resolve(this.workingDirectory, file);
    const isDirectory = this.machine.directories.has(path.toLowerCase().replace(/(?<=.{3})\\$/, ''));
    const full = isDirectory ? win32.join(path, generatedMetadataName(new Date(0), 'SERVER')) : path;
    if (!this.machine.directories.has(win32.dirname(full).toLowerCase())) {
      noSuchFile(`directory ${win32.dirname(full)}`);
    }
    return full;
  }

  async resolveVolume(volume: string): Promise<string> {
    return this.#volume(volume).name;
  }

  async isVolumeSupported({ volume, providerId }: { volume: string; providerId: string }): Promise<boolean> {
    const { fileSystem } = this.#volume(volume);
    if (providerId !== '' && ![systemProvider, hardwareProvider].includes(providerId)) {
      refuse('ERR_VSS_PROVIDER', `VSS_E_PROVIDER_NOT_REGISTERED: ${providerId}`);
    }
    return fileSystem !== 'RAW';
  }

  async create(request: CreateRequest): Promise<ScriptBackup> {
    const { machine } = this;
    requestedBackup(request);
    const { lifetime, writers } = request.context;
    const contexts: Record<string, VssContext> = {
      'volatile true': 'backup',
      'volatile false': 'file-share-backup',
      'persistent true': 'app-rollback',
      'persistent false': 'nas-rollback',
      'clientaccessible false': 'client-accessible',
    };
    const attributes = request.options.reduce(
      (bits, option) => bits | optionBits[option],
      contextBits[contexts[`${lifetime} ${writers}`]!],
    );
    for (const { volume, providerId } of request.volumes) {
      const isHardware = isOnArray(volume) || providerId === hardwareProvider;
      if (lifetime !== 'volatile' && this.#volume(volume).fileSystem !== 'NTFS') {
        refuse('ERR_VSS_VOLUME', `${volume}: persistent shadow copies need NTFS`);
      }
      if (!isHardware && request.options.some((option) => option === 'plex' || option === 'transportable')) {
        refuse('ERR_VSS_VOLUME', `VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER: ${volume}`);
      }
    }
    const taking = writers ? this.#select(request.writers) : [];
    const setId = machine.newId();
    const { volumes } = request;
    const shadows = volumes.map(({ volume, providerId }) =>
      machine.addShadow(
        this.#mountedAs(volume),
        setId,
        volumes.length,
        attributes,
        providerId || (isOnArray(volume) ? hardwareProvider : systemProvider),
      ),
    );
    for (const { id } of shadows) this.#made.add(id);
    machine.open += 1;
    if (writers) machine.told.push(`created ${request.backupType}`);
    let state: 'open' | 'complete' | 'released' = 'open';
    return {
      setId,
      shadows,
      writers: taking,
      warnings: [],
      outcome: 'complete',
      saveMetadata: async (manifest) => {
        const files = new Map([
          ['Manifest.xml', manifest],
          ['BCDocument.xml', JSON.stringify({ setId, attributes, writers: taking })],
          ...taking.map((writer, index): [string, string] => [`WM${index}.xml`, JSON.stringify(writer)]),
        ]);
        machine.cabinets.set(request.metadataFile.toLowerCase(), files);
      },
      complete: async () => {
        if (state !== 'open') throw new Error(`complete after ${state}`);
        state = 'complete';
        if (writers) machine.told.push('backup complete');
        return nothingSaid;
      },
      release: async (script) => {
        if (state === 'released') throw new Error('released twice');
        const isTransportable = request.options.includes('transportable');
        const isTakenBack = script === 'unused' && state !== 'complete' && !isTransportable && lifetime !== 'volatile';
        state = 'released';
        machine.open -= 1;
        if (lifetime === 'volatile' || isTakenBack) {
          machine.shadows = machine.shadows.filter((shadow) => shadow.setId !== setId);
        }
        return { ...nothingSaid, isTakenBack };
      },
    };
  }

  async loadMetadata(file: string): Promise<ScriptMetadata> {
    const path = win32.resolve(this.workingDirectory, file);
    const files = this.machine.cabinets.get(path.toLowerCase());
    if (!files) return noSuchFile(`file ${path}`);
    return { manifest: files.get('Manifest.xml') ?? '', components: files.get('BCDocument.xml') ?? '' };
  }

  async importShadows({ components }: ScriptMetadata): Promise<readonly ScriptShadow[]> {
    const { setId, attributes } = JSON.parse(components) as { setId: string; attributes: number };
    if ((attributes & optionBits.transportable) === 0) refuse('ERR_VSS_IMPORT', 'VSS_E_NO_SNAPSHOTS_IMPORTED');
    const shadows = this.machine.shadows.filter((shadow) => shadow.setId === setId);
    for (const shadow of shadows) shadow.attributes = [...shadow.attributes, 'imported'];
    return shadows;
  }

  async beginRestore({ components }: ScriptMetadata): ReturnType<ScriptTarget['beginRestore']> {
    const { machine } = this;
    machine.open += 1;
    const { writers } = JSON.parse(components) as { writers: { name: string }[] };
    const involved = machine.writers.filter(({ name }) => writers.some((writer) => writer.name === name));
    return {
      writers: involved.map(({ id, name }) => ({ id, name, present: true })),
      preRestore: async () => void machine.told.push('pre restore'),
      postRestore: async (outcome) =>
        void machine.told.push(outcome === 'all' ? 'post restore' : `post restore: ${outcome}`),
      close: async () => {
        machine.open -= 1;
      },
    };
  }

  async listShadows(selector: ShadowSelector): Promise<readonly ScriptShadow[]> {
    return (await this.#find(selector)).map((shadow) => ({ ...shadow, own: this.#made.has(shadow.id) }));
  }

  async listWriters(): Promise<readonly Writer[]> {
    return this.machine.writers.map(({ id, name }) => ({
      id,
      instanceId: id.replace(/^\{.{8}/, '{99999999'),
      name,
      usage: 'user-data',
      source: 'transacted-database',
      components: [
        {
          type: 'database',
          logicalPath: 'server',
          name: 'data',
          caption: 'All data',
          selectable: true,
          selectableForRestore: true,
          files: [{ path: 'D:\\data', fileSpec: '*.db', recursive: true }],
        },
      ],
      excludedFiles: [{ path: '%TEMP%', fileSpec: '*.tmp', recursive: true }],
      state: 'stable',
      failure: null,
      document: '<WRITER_METADATA/>',
    }));
  }

  async listProviders(): Promise<readonly VssProvider[]> {
    return [
      {
        id: systemProvider,
        name: 'Microsoft Software Shadow Copy provider 1.0',
        type: 'system',
        version: '1.0.0.7',
        versionId: '{00000001-0000-0000-0007-000000000001}',
        classId: '{65ee1dba-8ff4-4a58-ac1c-3470ee2f376a}',
      },
    ];
  }

  async requirePlace(
    place: Parameters<ScriptTarget['requirePlace']>[0],
    { shadowsMayGo }: { readonly shadowsMayGo: boolean },
  ): Promise<void> {
    const isVolume = [...this.machine.volumes.keys()].includes(`${place.as}\\`);
    if (isVolume || (this.#exposed(place.as).length > 0 && !shadowsMayGo)) {
      refuse('ERR_VSS_PLACE', `${place.as} is in use`);
    }
    const isDrive = /^[A-Z]:$/.test(place.as);
    if (place.kind === 'local' && !isDrive && !this.machine.directories.has(place.as.toLowerCase())) {
      refuse('ERR_VSS_PLACE', `there is no directory ${place.as}`);
    }
  }

  async requireScriptFile(file: string): Promise<void> {
    this.#program(file);
  }

  async expose({ id, place }: Parameters<ScriptTarget['expose']>[0]): Promise<string> {
    const shadow = this.#shadow(id);
    if (!shadow.persistent || shadow.attributes.includes('client-accessible')) {
      refuse('ERR_VSS_CONTEXT', `${id} cannot be exposed: its context does not allow it`);
    }
    if (shadow.exposedAs !== '') refuse('ERR_VSS_STATE', `${id} is already exposed as ${shadow.exposedAs}`);
    await this.requirePlace(place, { shadowsMayGo: false });
    const remotely: ShadowAttribute = place.kind === 'share' ? 'exposed-remotely' : 'exposed-locally';
    Object.assign(shadow, { exposedAs: place.as, attributes: [...shadow.attributes, remotely] });
    return place.as;
  }

  async unexpose(selector: ShadowSelector): Promise<string | undefined> {
    const [found] = await this.#find(selector);
    if (!found && selector.by === 'exposed') return undefined;
    if (!found || found.exposedAs === '') return refuse('ERR_VSS_NOT_FOUND', 'there is nothing exposed');
    const { exposedAs } = found;
    Object.assign(this.#shadow(found.id), { exposedAs: '' });
    return exposedAs;
  }

  async deleteShadows(
    selector: ShadowSelector,
    onFound: (shadows: readonly ScriptShadow[]) => void,
  ): Promise<readonly ScriptShadow[]> {
    const found = await this.listShadows(selector);
    onFound(found);
    this.machine.shadows = this.machine.shadows.filter(({ id }) => !found.some((doomed) => doomed.id === id));
    return found;
  }

  async breakSet({ setId, how }: Parameters<ScriptTarget['breakSet']>[0]): Promise<void> {
    const shadows = await this.#find({ by: 'set', setId });
    if (shadows.length === 0) refuse('ERR_VSS_NOT_FOUND', `there is no set ${setId}`);
    if (shadows.some(({ providerId }) => providerId !== hardwareProvider)) {
      refuse('ERR_VSS_PROVIDER', 'VSS_E_PROVIDER_VETO: only hardware shadow copies can be broken');
    }
    this.machine.shadows = this.machine.shadows.filter((shadow) => shadow.setId !== setId);
    this.machine.told.push(`${how} ${setId}`);
  }

  async revert(id: string): Promise<string> {
    const shadow = this.#shadow(id);
    if (!shadow.persistent) refuse('ERR_VSS_REVERT', 'only persistent shadow copies can be reverted to');
    if (shadow.mountedAs === 'C:\\') refuse('ERR_VSS_REVERT', 'the system volume cannot be reverted');
    this.machine.told.push(`revert ${shadow.mountedAs}`);
    return shadow.mountedAs;
  }

  async execute({ file, env, onOutput }: Parameters<ScriptTarget['execute']>[0]): Promise<number> {
    const { path, program } = this.#program(file);
    const { exitCode, output } = program(env, this.machine);
    this.machine.told.push(`exec ${path}`);
    if (output !== '') onOutput(output);
    return exitCode;
  }

  /** In the working directory, or in the only directory of the search path. */
  #program(file: string): { readonly path: string; readonly program: MemoryProgram } {
    const places = [this.workingDirectory, ...(/[\\/:]/.test(file) ? [] : ['c:\\windows\\system32'])];
    for (const place of places) {
      const path = win32.resolve(place, file);
      const program = this.machine.programs.get(path.toLowerCase());
      if (program) return { path, program };
    }
    return noSuchFile(`file ${win32.resolve(this.workingDirectory, file)}`);
  }

  #select({ exclude, verify }: CreateRequest['writers']): { name: string; excluded: string }[] {
    const isMeant = ({ name, id }: MemoryWriter, rule: string): boolean => {
      const [writer = ''] = rule.split(':\\');
      return [name.toLowerCase(), id].includes(writer.toLowerCase());
    };
    const chosen = this.machine.writers.map((writer) => {
      const isAsked = exclude.some((rule) => isMeant(writer, rule));
      return { writer, excluded: isAsked ? 'asked' : writer.isElsewhere ? 'component outside the set' : '' };
    });
    for (const rule of verify) {
      if (!chosen.some(({ writer, excluded }) => excluded === '' && isMeant(writer, rule))) {
        refuse('ERR_VSS_WRITER_MISSING', `"${rule}" does not take part`);
      }
    }
    return chosen.map(({ writer, excluded }) => ({ name: writer.name, excluded }));
  }

  #find(selector: ShadowSelector): Promise<readonly ScriptShadow[]> {
    const resolve = async (volume: string): Promise<string> => this.#volume(volume).name;
    return selectShadows(selector, this.machine.shadows, resolve) as Promise<readonly ScriptShadow[]>;
  }

  #shadow(id: string): Mutable<ScriptShadow> {
    const shadow = this.machine.shadows.find((candidate) => candidate.id === id);
    return shadow ?? refuse('ERR_VSS_NOT_FOUND', `there is no shadow copy ${id}`);
  }

  #exposed(place: string): ScriptShadow[] {
    return this.machine.shadows.filter(({ exposedAs }) => exposedAs.toLowerCase() === place.toLowerCase());
  }

  #mountedAs(volume: string): string {
    const wanted = volume.toLowerCase();
    const found = [...this.machine.volumes].find(([mountedAs, { name }]) => {
      return mountedAs.toLowerCase() === wanted || name.toLowerCase() === wanted;
    });
    return found?.[0] ?? refuse('ERR_VSS_NOT_FOUND', `VSS_E_OBJECT_NOT_FOUND: there is no volume ${volume}`);
  }

  #volume(volume: string): { readonly name: string; readonly fileSystem: string } {
    return this.machine.volumes.get(this.#mountedAs(volume))!;
  }
}
