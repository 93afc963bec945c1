import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeSession } from '#lib/native/session';
import type { NativeFailure } from '#lib/native/failure';
import type {
  NativeShadow,
  NativeVss,
  NativeVssOptions,
  NativeVssReport,
  NativeWriter,
  NativeWriterComponent,
  NativeWriterFiles,
  NativeWriters,
} from '#lib/native/vss';
import { failure } from './fake-binding';

/** A failed COM call. */
export function comFailure(status: number, partial: Partial<NativeFailure> = {}): NativeFailure {
  return failure({ code: 'ERR_VSS', phase: 'shadow', domain: 'com', status, ...partial });
}

export const systemProvider = '{b5946137-7b9f-4925-af80-51abd60b20d5}';

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');

/** Ids that are easy to distinguish. */
export const shadowId = (number: number): string => `{00000000-0000-0000-0000-${hex(number, 12)}}`;
export const setId = (number: number): string => `{aaaaaaaa-0000-0000-0000-${hex(number, 12)}}`;

export function nativeShadow(number: number, partial: Partial<NativeShadow> = {}): NativeShadow {
  return {
    id: shadowId(number),
    setId: setId(number),
    setCount: 1,
    device: `\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy${number}`,
    volume: '\\\\?\\Volume{0000000d-0000-0000-0000-000000000000}\\',
    originatingMachine: 'domino1',
    serviceMachine: 'domino1',
    exposedName: '',
    exposedPath: '',
    providerId: systemProvider,
    attributes: 0x2_0019,
    createdMs: Date.UTC(2026, 0, number),
    state: 12,
    ...partial,
  };
}

/** A writer with everything that it reports. */
export interface FakeWriter extends Omit<NativeWriter, 'components' | 'excludedFiles'> {
  readonly components: readonly (Omit<NativeWriterComponent, 'files'> & {
    readonly files: readonly NativeWriterFiles[];
  })[];
  readonly excludedFiles: readonly NativeWriterFiles[];
  readonly document: string;
}

export function nativeWriter(name: string, partial: Partial<FakeWriter> = {}): FakeWriter {
  return {
    id: '{e8132975-6f93-4464-a53e-1050253ae220}',
    instanceId: '{11111111-0000-0000-0000-000000000000}',
    name,
    usage: 1,
    source: 3,
    components: [
      {
        type: 2,
        logicalPath: '',
        name: 'Files',
        caption: 'System files',
        selectable: false,
        selectableForRestore: false,
        files: [{ path: 'C:\\Windows', fileSpec: '*', recursive: true }],
      },
    ],
    excludedFiles: [],
    state: 0,
    failure: 0,
    failureName: '',
    applicationFailure: 0,
    applicationMessage: '',
    document: `<WRITER name="${name}"/>`,
    excluded: '',
    ...partial,
  };
}

/** Writers as they cross the boundary: long parts are fetched individually, and lists in blocks. */
function nativeWriters(writers: readonly FakeWriter[], asked: (call: string) => void): NativeWriters {
  const of = (index: number): FakeWriter => writers[index]!;
  return {
    list: writers.map(({ components, excludedFiles, ...writer }) => ({
      ...writer,
      components: components.length,
      excludedFiles: excludedFiles.length,
    })),
    components: ({ writer, from, count }) => {
      asked('components');
      return of(writer)
        .components.slice(from, from + count)
        .map((component) => ({ ...component, files: component.files.length }));
    },
    files: ({ writer, from, count }) => {
      asked('files');
      const { components, excludedFiles } = of(writer);
      return [...components.flatMap(({ files }) => files), ...excludedFiles].slice(from, from + count);
    },
    document: (writer) => {
      asked('document');
      return of(writer).document;
    },
  };
}

/** The shadows of a machine in memory. Every member is a field, so a test can replace it. */
export class FakeVss {
  shadows: NativeShadow[] = [];
  writers: FakeWriter[] = [nativeWriter('System Writer'), nativeWriter('Registry Writer', { state: 1 })];
  /** Every call that changes something, with its argument. */
  readonly changes: [string, unknown][] = [];
  /** What was fetched from writers in addition to their list. */
  readonly asked: string[] = [];
  reasons: NativeFailure[] = [];
  /** Reasons why there may be no room for a shadow, by volume. */
  storageWarnings: string[] = [];
  #made = 100;

  readonly native: NativeVss = {
    listShadows: () => Promise.resolve([...this.shadows]),
    listProviders: () =>
      Promise.resolve([
        {
          id: systemProvider,
          name: 'Microsoft Software Shadow Copy provider 1.0',
          type: 1,
          version: '1.0.0.7',
          versionId: '{00000001-0000-0000-0007-000000000001}',
          classId: '{65ee1dba-8ff4-4a58-ac1c-3470ee2f376a}',
        },
      ]),
    listWriters: ({ status }) =>
      Promise.resolve(this.nativeWriters(this.writers.map((writer) => (status ? writer : { ...writer, state: 0 })))),
    isVolumeSupported: ({ volume }) => Promise.resolve(volume.startsWith('\\\\?\\Volume{')),
    exposeShadow: async (options) => {
      this.changes.push(['expose', options]);
      this.#change(options.id, { exposedName: options.as });
      return options.kind === 'local' && options.as.endsWith(':') ? `${options.as}\\` : options.as;
    },
    unexposeShadow: async ({ id }) => {
      this.changes.push(['unexpose', id]);
      this.#change(id, { exposedName: '' });
    },
    deleteShadows: async (options) => {
      this.changes.push(['delete', options]);
      this.shadows = this.shadows.filter(({ id, setId: set }) => (options.kind === 'set' ? set : id) !== options.id);
      return { deleted: 1, failure: null, notDeletedId: '' };
    },
    breakSnapshotSet: async (options) => void this.changes.push(['break', options]),
    importShadows: async () => {
      const imported = nativeShadow(50, { attributes: 0x8_0039 });
      this.shadows.push(imported);
      return [imported];
    },
    revertToShadow: async (options) => void this.changes.push(['revert', options]),
    awaitRevert: () => Promise.resolve({ finished: true }),
    beginRestore: () => Promise.reject(new Error('not faked')),
    whyNot: () => Promise.resolve(this.reasons),
    checkShadowStorage: ({ volume }) =>
      Promise.resolve(
        this.storageWarnings.map((text) => ({
          code: 'WARN_SHADOW_STORAGE' as const,
          message: `${volume}${text}`,
          subject: volume,
        })),
      ),
    writeCabinet: () => Promise.reject(new Error('not faked')),
    readCabinet: () => Promise.reject(new Error('not faked')),
    registerWriter: () => Promise.reject(new Error('not faked')),
  };

  nativeWriters(writers: readonly FakeWriter[]): NativeWriters {
    return nativeWriters(writers, (call) => this.asked.push(call));
  }

  #change(id: string, change: Partial<NativeShadow>): void {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- as native code rejects
    if (!this.shadows.some((shadow) => shadow.id === id)) throw comFailure(0x80042308, { subject: id });
    this.shadows = this.shadows.map((shadow) => (shadow.id === id ? { ...shadow, ...change } : shadow));
  }

  /** Numbers for a set that is being created. */
  newSet(volumes: number): { setId: string; ids: string[] } {
    const first = this.#made;
    this.#made += volumes;
    return { setId: setId(first), ids: Array.from({ length: volumes }, (_value, index) => shadowId(first + index)) };
  }
}

/** What a session does with VSS. */
export class FakeVssSession {
  readonly #vss: FakeVss;
  readonly #options: NativeVssOptions;
  readonly #directory: string;
  #set: { setId: string; ids: string[] } = { setId: '', ids: [] };
  #shadows: NativeShadow[] = [];

  /**
   * Shadows are directories below `directory`; the root of a device ends in a backslash, which is an ordinary character on Linux.
   */
  constructor(vss: FakeVss, options: NativeVssOptions, directory: string) {
    this.#vss = vss;
    this.#options = options;
    this.#directory = directory;
  }

  prepare(volumes: number): void {
    this.#set = this.#vss.newSet(volumes);
  }

  commit(dataDirectory: string): void {
    const { setId: set, ids } = this.#set;
    this.#shadows = ids.map((id, index) => {
      const device = join(this.#directory, `HarddiskVolumeShadowCopy${id.slice(-4, -1)}`);
      mkdirSync(`${device}\\`, { recursive: true });
      if (index === 0) cpSync(dataDirectory, join(`${device}\\`, 'data'), { recursive: true });
      return nativeShadow(1, {
        id,
        setId: set,
        setCount: ids.length,
        device,
        attributes: this.#options.context | 0x2_0000,
      });
    });
    this.#vss.shadows.push(...this.#shadows);
  }

  close({ keepShadow, succeeded, untold, deletedShadows }: Parameters<NativeSession['close']>[0]): void {
    const deleted = deletedShadows.length > 0 && { deletedShadows };
    this.#vss.changes.push(['close', { keepShadow, succeeded, ...(untold && { untold }), ...deleted }]);
    if (!keepShadow) this.remove();
  }

  remove(): void {
    const { ids } = this.#set;
    this.#vss.shadows = this.#vss.shadows.filter(({ id }) => !ids.includes(id));
    for (const { device } of this.#shadows) rmSync(`${device}\\`, { recursive: true, force: true });
  }

  get #hasWriters(): boolean {
    return (this.#options.context & 0x10) === 0;
  }

  report(): NativeVssReport {
    return {
      setId: this.#set.setId,
      shadowIds: this.#set.ids,
      // VSS does not list a transportable shadow before it is imported.
      shadows: (this.#options.context & 0x20) === 0 ? this.#shadows : [],
      warnings: [
        {
          code: 'WARN_COM_SECURITY',
          message: 'another part of this process has set up COM security',
          subject: '',
        },
      ],
    };
  }

  writers(): NativeWriters {
    this.#vss.asked.push('writers');
    return this.#vss.nativeWriters(this.#hasWriters ? this.#vss.writers : []);
  }

  componentsDocument(): string {
    this.#vss.asked.push('components document');
    return this.#hasWriters && this.#shadows.length > 0 ? '<BACKUP_COMPONENTS/>' : '';
  }
}
