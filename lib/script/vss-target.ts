import { access, constants, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { beginBackup } from '../backup/begin-backup';
import { announcePlace, Call } from '../call/call';
import { FileSystemError, toPublicError, VssError } from '../errors/errors';
import { warning } from '../errors/warnings';
import { exposeShadow, unexposeShadow } from '../vss/exposure';
import { findObstacle, type ShadowShare } from '../vss/place';
import { breakSnapshotSet, importShadows } from '../vss/hardware-sets';
import { queryShadows, type ListedShadow } from '../vss/listed-shadow';
import { findMountPoints } from '../vss/mount-points';
import type { NativeBinding } from '../native/session';
import type { DominoLocation } from '../call/options';
import { ownShadows } from '../vss/own-shadows';
import { revertToShadow } from '../vss/revert';
import { deleteShadows, resolveVolume, selectShadows, type ShadowSelector } from '../vss/shadows';
import type { Shadow } from '../backup/shadow';
import type { SnapshotSet } from '../backup/snapshot-set';
import { existingStateDirectory, makeStateDirectory } from '../store/state-directory';
import { vssCall } from '../vss/call';
import { resolveVss } from '../vss/context';
import { isVolumeSupported, listProviders, type VssProvider } from '../vss/providers';
import { attributeWords } from '../vss/words';
import { isSameName } from '../vss/windows-names';
import { listWriters, type Writer } from '../vss/writers';
import { environmentVariable } from './aliases';
import { readCabinet } from './cabinet';
import type { WriterDetail } from './commands';
import { execute, findProgram } from './execute';
import { generatedMetadataName } from './metadata';
import { isTransportable, OpenBackup } from './open-backup';
import {
  type CreateRequest,
  type ExposePlace,
  type ScriptBackup,
  type ScriptMetadata,
  type ScriptRestore,
  type ScriptShadow,
  type ScriptTarget,
} from './target';
import { pruneState } from './state';
import { requestedBackup } from './vss-options';

/** Additional time for native code, which ends its work at the deadline by itself. */
const graceMs = 5_000;
/** Time limit for closing a restore. */
const closeTimeoutMs = 30_000;

/** What scripts need to know in addition to the machine. */
export interface VssTargetOptions {
  readonly loadBinding: () => NativeBinding;
  readonly workingDirectory: string;
  /** Put the databases of this Domino server into backup mode around `create`; undefined: plain volumes. */
  readonly domino: DominoLocation | undefined;
  /** Directory for manifests and journals of plain volumes; those of Domino are stored next to the metadata. */
  readonly stateDirectory: string;
  /** Environment whose PATH is searched for programs. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The computer this runs on. */
export class VssTarget implements ScriptTarget {
  readonly #options: VssTargetOptions;
  /** Sets that this process has made and not yet released. */
  readonly #open = new Set<OpenBackup>();
  /** Directories of metadata that the script has made or loaded; Domino backups are stored next to them. */
  readonly #metadataDirectories = new Set<string>();

  private constructor(options: VssTargetOptions) {
    this.#options = options;
  }

  /** Refuses a computer or process that cannot use VSS at all, before a script has done half of its work. */
  static async open(options: VssTargetOptions): Promise<VssTarget> {
    await vssCall(options.loadBinding, { signal: options.signal }, {}, async ({ vss, call }) => {
      const [reason] = await call.race(vss.whyNot());
      if (reason) throw toPublicError(reason);
    });
    return new VssTarget(options);
  }

  async metadataFile(file: string): Promise<string> {
    const path = resolve(this.#options.workingDirectory, file);
    const isDirectory =
      file === '' ||
      (await stat(path).then(
        (found) => found.isDirectory(),
        () => false,
      ));
    const full = isDirectory ? join(path, generatedMetadataName(new Date(), hostname())) : path;
    await access(dirname(full), constants.W_OK).catch((cause: unknown) => {
      const message = `metadata cannot be written to ${dirname(full)}: ${(cause as Error).message}`;
      const hint = 'Create the directory, or name another one with "set metadata".';
      throw new FileSystemError('ERR_FILE_SYSTEM', { path: full, cause }, { message, hint });
    });
    return full;
  }

  resolveVolume(volume: string): Promise<string> {
    return this.#vss((call, { binding }) => resolveVolume(binding, volume, call));
  }

  isVolumeSupported({ volume, providerId }: { volume: string; providerId: string }): Promise<boolean> {
    const { loadBinding, signal } = this.#options;
    return isVolumeSupported(loadBinding, { volume, signal, ...(providerId !== '' && { providerId }) });
  }

  async create(request: CreateRequest): Promise<ScriptBackup> {
    const { loadBinding, domino, stateDirectory, signal } = this.#options;
    const { onProgress, metadataFile } = request;
    const volumes = request.volumes.map(({ volume }) => volume);
    if (!domino) await makeStateDirectory(loadBinding(), stateDirectory);
    await this.#pruneState();
    const deltaDirectory = domino ? dirname(metadataFile) : stateDirectory;
    announcePlace(deltaDirectory);
    const backup = await beginBackup(loadBinding, {
      ...(domino ? { source: 'domino', domino } : { source: 'volumes' }),
      deltaDirectory,
      volumes,
      provider: 'vss',
      ...requestedBackup(request),
      signal,
      onProgress,
    });
    try {
      const set = await backup.createShadow({ signal, onProgress });
      const { shadows, others } = await this.#inOrder(await this.#madeShadows(set, request), volumes);
      const open = new OpenBackup({
        loadBinding,
        backup,
        set,
        request,
        shadows,
        stateDirectory,
        withDomino: domino !== undefined,
      });
      open.warnings.push(
        ...backup.warnings,
        ...others.map(({ mountedAs, volume }) => {
          const subjects = [mountedAs || volume];
          const message = `${mountedAs || volume} contains databases and was included`;
          return warning('WARN_VOLUME_TAKEN_ALONG', message, { subjects });
        }),
        ...set.skipped.map((failure) => {
          const { database, text, hint } = failure;
          const context = { subjects: [database], error: failure };
          return warning('WARN_DATABASE_LEFT_OUT', `${database} was left out: ${text}; ${hint}`, context);
        }),
      );
      this.#metadataDirectories.add(dirname(metadataFile));
      open.onRelease = () => this.#open.delete(open);
      this.#open.add(open);
      return open;
    } catch (error) {
      return await backup.fail(error);
    }
  }

  async loadMetadata(file: string): Promise<ScriptMetadata> {
    const cabinet = resolve(this.#options.workingDirectory, file);
    await access(cabinet);
    this.#metadataDirectories.add(dirname(cabinet));
    return this.#vss((call, native) => readCabinet(cabinet, this.#options.stateDirectory, { ...native, call }));
  }

  async importShadows({ components }: ScriptMetadata): Promise<readonly ScriptShadow[]> {
    const { loadBinding, signal } = this.#options;
    const shadows = await importShadows(loadBinding, { document: components, signal });
    return this.#mounted(shadows);
  }

  async beginRestore({ components }: ScriptMetadata): Promise<ScriptRestore> {
    const restore = await this.#vss((call, { vss }) =>
      call.race(vss.beginRestore({ document: components, timeoutMs: call.remainingMs() }), graceMs),
    );
    return {
      writers: restore.writers,
      preRestore: () => this.#vss((call) => call.race(restore.preRestore(call.remainingMs()), graceMs)),
      postRestore: (outcome) =>
        this.#vss((call) => call.race(restore.postRestore({ outcome, timeoutMs: call.remainingMs() }), graceMs)),
      // Also after an abort: the session with the writers must not stay open.
      close: () => new Call({ timeoutMs: closeTimeoutMs, phase: 'restore' }).race(restore.close()),
    };
  }

  async listShadows(selector: ShadowSelector): Promise<readonly ScriptShadow[]> {
    const found = await this.#vss(async (call, { binding, vss }) => {
      const own = await ownShadows(await this.#earlierBackups());
      const shadows = await queryShadows(vss, own, call);
      return selectShadows(selector, shadows, (volume) => resolveVolume(binding, volume, call));
    });
    return this.#mounted(found);
  }

  listWriters(detail: WriterDetail): Promise<readonly Writer[]> {
    const { loadBinding, signal } = this.#options;
    return listWriters(loadBinding, { status: detail === 'status', signal });
  }

  listProviders(): Promise<readonly VssProvider[]> {
    const { loadBinding, signal } = this.#options;
    return listProviders(loadBinding, { signal });
  }

  async requirePlace(place: ExposePlace, { shadowsMayGo }: { readonly shadowsMayGo: boolean }): Promise<void> {
    const obstacle = await this.#vss((call, native) => findObstacle(exposureOf(place), { ...native, call }));
    if (!obstacle || (obstacle.isShadow && shadowsMayGo)) return;
    const { message, hint } = obstacle;
    throw new VssError('ERR_VSS_PLACE', {}, { message, hint });
  }

  async requireScriptFile(file: string): Promise<void> {
    const { workingDirectory, env = process.env } = this.#options;
    await findProgram(file, { workingDirectory, env });
  }

  expose({ id, place }: { id: string; place: ExposePlace }): Promise<string> {
    const { loadBinding, signal } = this.#options;
    const as = exposureOf(place);
    // For one of our own shadows, the journal must record the place.
    return this.#ownShadow(id)?.expose({ as }) ?? exposeShadow(loadBinding, { id, as, signal });
  }

  async unexpose(selector: ShadowSelector): Promise<string | undefined> {
    const { loadBinding, signal } = this.#options;
    const [shadow] = await this.listShadows(selector);
    if (!shadow && selector.by === 'exposed') return undefined;
    if (!shadow || shadow.exposedAs === '') {
      const message = shadow ? `${shadow.id} is not exposed` : 'there is no such shadow copy';
      throw new VssError('ERR_VSS_NOT_FOUND', {}, { message });
    }
    const own = this.#ownShadow(shadow.id);
    if (own?.exposedAs !== undefined) await own.unexpose();
    else await unexposeShadow(loadBinding, { by: 'id', id: shadow.id, signal });
    return shadow.exposedAs;
  }

  async deleteShadows(
    selector: ShadowSelector,
    onFound: (shadows: readonly ScriptShadow[]) => void,
  ): Promise<readonly ScriptShadow[]> {
    const { loadBinding, signal } = this.#options;
    const found = await this.listShadows(selector);
    if (found.length === 0 && (selector.by === 'id' || selector.by === 'set')) {
      throw new VssError('ERR_VSS_NOT_FOUND', {}, { message: 'there is no such shadow copy' });
    }
    onFound(found);
    for (const { id } of found) {
      await this.#ownShadow(id)?.unexpose();
      await deleteShadows(loadBinding, { by: 'id', id, foreign: 'delete', signal });
      for (const open of this.#open) open.forget(id);
    }
    if (found.length > 0) await this.#pruneState();
    return found;
  }

  async breakSet({ setId, how }: Parameters<ScriptTarget['breakSet']>[0]): Promise<void> {
    const { loadBinding, signal } = this.#options;
    await breakSnapshotSet(loadBinding, { setId, writable: how === 'writable', mask: how === 'mask', signal });
    // VSS no longer has these shadows.
    for (const open of this.#open) if (open.setId === setId) for (const { id } of open.shadows) open.forget(id);
  }

  async revert(id: string): Promise<string> {
    const { loadBinding, domino, signal } = this.#options;
    const deltaDirectory = await this.#earlierBackups();
    await this.#requireMetadataElsewhere(id);
    const report = await revertToShadow(loadBinding, { id, deltaDirectory, domino, signal });
    if (!report.finished) {
      const message = `the revert of ${report.volume} continues; it cannot be stopped`;
      throw new VssError('ERR_VSS_REVERT', { volume: report.volume }, { message, hint: 'Wait for it to end.' });
    }
    return report.volume;
  }

  async execute(options: Parameters<ScriptTarget['execute']>[0]): Promise<number> {
    const { workingDirectory, env = process.env, signal } = this.#options;
    const file = await findProgram(options.file, { workingDirectory, env });
    // From the environment, not from an alias.
    const interpreter = environmentVariable(env, 'ComSpec');
    return execute({ ...options, file, workingDirectory, interpreter, signal });
  }

  #vss<T>(
    body: (call: Call, native: { binding: NativeBinding; vss: NonNullable<NativeBinding['vss']> }) => Promise<T>,
  ): Promise<T> {
    const { loadBinding, signal } = this.#options;
    return vssCall(loadBinding, { signal }, {}, ({ binding, vss, call }) => body(call, { binding, vss }));
  }

  /** Forgets sets of earlier scripts that no longer exist. A failure of this is ignored. */
  async #pruneState(): Promise<void> {
    const directory = await this.#earlierBackups();
    if (directory === undefined) return;
    const listIds = async (): Promise<ReadonlySet<string>> => {
      const shadows = await this.#vss((call, { vss }) => queryShadows(vss, new Set(), call));
      return new Set(shadows.map(({ id }) => id));
    };
    await pruneState(directory, this.#options.loadBinding(), listIds).catch((error: unknown) => {
      if (toPublicError(error).code === 'ERR_ABORTED') throw error;
    });
  }

  /** The directory in which shadows of earlier scripts are recorded; undefined if there is none. */
  #earlierBackups(): Promise<string | undefined> {
    const { loadBinding, stateDirectory } = this.#options;
    return existingStateDirectory(loadBinding(), stateDirectory);
  }

  /** A volume must not be reverted to a time before the metadata that describe its shadow. */
  async #requireMetadataElsewhere(id: string): Promise<void> {
    const [shadow] = await this.listShadows({ by: 'id', id });
    for (const directory of this.#metadataDirectories) {
      const { device } = await this.#vss((call, { binding }) => call.race(binding.inspectVolume(directory)));
      if (!shadow || !isSameName(device, shadow.volume)) continue;
      const { volume } = shadow;
      const message = `${volume} is not reverted to ${id}: it contains the metadata in ${directory} and the backups next to them`;
      throw new VssError('ERR_VSS_REVERT', { volume }, { message, hint: 'Move them to another volume first.' });
    }
  }

  #ownShadow(id: string): Shadow | undefined {
    return [...this.#open].flatMap(({ set }) => set.shadows).find((shadow) => shadow.id === id);
  }

  /** The shadows of the volumes in the order of the request, followed by those of other volumes that Domino needs. */
  async #inOrder(
    made: readonly ScriptShadow[],
    volumes: readonly string[],
  ): Promise<{ readonly shadows: readonly ScriptShadow[]; readonly others: readonly ScriptShadow[] }> {
    const names = await this.#vss((call, { binding }) =>
      Promise.all(volumes.map((volume) => resolveVolume(binding, volume, call))),
    );
    const named = names.flatMap((name) => made.find(({ volume }) => isSameName(volume, name)) ?? []);
    const others = made.filter((shadow) => !named.includes(shadow));
    return { shadows: [...named, ...others], others };
  }

  async #madeShadows(set: SnapshotSet, request: CreateRequest): Promise<readonly ScriptShadow[]> {
    if (!isTransportable(request) || !set.vss) return this.#mounted(set.vss?.shadows ?? []);
    // Until such a set is imported, VSS reports only its ids.
    const { setId, context } = set.vss;
    const attributes = attributeWords(resolveVss(requestedBackup(request)).native.context);
    const shadows = await this.#vss((call, { binding }) =>
      Promise.all(
        set.shadows.map(async ({ id, volume }): Promise<ListedShadow> => ({
          id,
          setId,
          setCount: set.shadows.length,
          volume: await resolveVolume(binding, volume, call),
          devicePath: '',
          root: '',
          created: set.created,
          state: 'created',
          context,
          attributes,
          persistent: attributes.includes('persistent'),
          exposedAs: '',
          exposedPath: '',
          providerId: request.volumes[0]?.providerId ?? '',
          originatingMachine: hostname(),
          serviceMachine: hostname(),
          own: true,
        })),
      ),
    );
    return this.#mounted(shadows);
  }

  async #mounted(shadows: readonly ListedShadow[]): Promise<readonly ScriptShadow[]> {
    const volumes = shadows.map(({ volume }) => volume);
    const mountPoints = await this.#vss((call, { binding }) => findMountPoints(binding, volumes, call));
    return shadows.map((shadow) => ({ ...shadow, mountedAs: mountPoints.get(shadow.volume.toLowerCase()) ?? '' }));
  }
}

function exposureOf(place: ExposePlace): string | ShadowShare {
  return place.kind === 'share' ? { share: place.as } : place.as;
}
