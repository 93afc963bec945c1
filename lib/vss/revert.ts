import { existsSync } from 'node:fs';
import { daosDirectory, transactionLogDirectory } from '../domino/environment';
import type { Call } from '../call/call';
import { findNotesIni, NotesIni } from '../domino/environment';
import { isDominoVssError, VssError } from '../errors/errors';
import { queryShadows, type ListedShadow } from './listed-shadow';
import type { NativeBinding } from '../native/session';
import type { NativeVss } from '../native/vss';
import { absolutePath, boolean, dominoLocation, type DominoLocation } from '../call/options';
import { ownShadows } from './own-shadows';
import { resolveVolume } from './shadows';
import { stateDirectory } from '../store/state-directory';
import { vssCall, type VssCallOptions } from './call';
import { guid, isSameName, normalGuid, volumeName } from './windows-names';

/** Options of `revertToShadow`. VSS reverts only to persistent shadows, and only on server editions of Windows. */
export interface RevertToShadowOptions extends VssCallOptions {
  readonly id: string;
  /** Absolute path of the delta directory. A volume that contains it is not reverted, because its backups would be lost. */
  readonly deltaDirectory?: string | undefined;
  /**
   * Where Domino is. Default: searched for in the environment and in the standard locations; Domino need not be on
   * this machine.
   */
  readonly domino?: DominoLocation | undefined;
  /**
   * Confirms that the Domino server is down. Otherwise, a volume with its databases, transaction logs or DAOS objects is not
   * reverted. Default: false.
   */
  readonly dominoIsStopped?: boolean | undefined;
  /** Whether the volume is dismounted even if files on it are open. Otherwise, the revert fails then. Default: false. */
  readonly forceDismount?: boolean | undefined;
}

/** Options of `queryRevertStatus`. */
export interface QueryRevertStatusOptions extends VssCallOptions {
  /** `D:`, a mount point, `\\?\Volume{…}\`, or any file on the volume. */
  readonly volume: string;
}

/** The progress of a revert. */
export interface RevertStatus {
  /** `\\?\Volume{…}\`. */
  readonly volume: string;
  /** Whether no revert of the volume is running (any more). A running revert cannot be stopped. */
  readonly finished: boolean;
}

/** The result of `revertToShadow`. */
export interface RevertReport extends RevertStatus {
  readonly shadow: ListedShadow;
}

/** A revert copies back everything that has changed on the volume since the shadow was made. */
const revertTimeoutMs = 3_600_000;

export function revertToShadow(
  loadBinding: () => NativeBinding,
  options: RevertToShadowOptions,
): Promise<RevertReport> {
  const checks = {
    id: guid,
    deltaDirectory: absolutePath,
    domino: dominoLocation,
    dominoIsStopped: boolean,
    forceDismount: boolean,
  };
  const withTime = { ...options, timeoutMs: options.timeoutMs ?? revertTimeoutMs };
  return vssCall(loadBinding, withTime, checks, async ({ binding, vss, call }) => {
    guid(options.id, 'id');
    const id = normalGuid(options.id);
    const own = await ownShadows(options.deltaDirectory);
    const shadow = (await queryShadows(vss, own, call)).find((candidate) => candidate.id === id);
    if (!shadow) throw new VssError('ERR_VSS_NOT_FOUND', { volume: id }, { message: `there is no shadow ${id}` });
    await refuseHarmfulRevert(binding, shadow, options, call);
    const { forceDismount = false } = options;
    await call.race(vss.revertToShadow({ id, forceDismount }));
    const { volume } = shadow;
    return { shadow, volume, finished: await waitForRevert(vss, volume, call) };
  });
}

export function queryRevertStatus(
  loadBinding: () => NativeBinding,
  options: QueryRevertStatusOptions,
): Promise<RevertStatus> {
  return vssCall(loadBinding, options, { volume: volumeName }, async ({ binding, vss, call }) => {
    volumeName(options.volume, 'volume');
    const volume = await resolveVolume(binding, options.volume, call);
    const { finished } = await call.race(vss.awaitRevert({ volume, timeoutMs: 1 }));
    return { volume, finished };
  });
}

/** Refuses a revert that would change the volumes of a running server, or destroy what a restore needs. */
async function refuseHarmfulRevert(
  binding: NativeBinding,
  { id, volume }: ListedShadow,
  options: RevertToShadowOptions,
  call: Call,
): Promise<void> {
  const refuse = (message: string, hint: string): VssError =>
    new VssError('ERR_VSS_REVERT', { volume }, { message: `${volume} is not reverted to ${id}: ${message}`, hint });
  const lies = async (path: string): Promise<boolean> =>
    isSameName((await call.race(binding.inspectVolume(path))).device, volume);
  const { deltaDirectory, dominoIsStopped = false } = options;
  if (deltaDirectory !== undefined && (await lies(deltaDirectory))) {
    const hint = 'Move the delta directory to another volume first.';
    throw refuse(`the delta directory ${deltaDirectory} is on it, with every backup and journal`, hint);
  }
  const ofScripts = stateDirectory();
  if (existsSync(ofScripts) && (await lies(ofScripts))) {
    const hint = 'Move it to another volume first; after the revert, merge the newer files into the reverted ones.';
    throw refuse(`the journals and manifests of scripts in ${ofScripts} are on it`, hint);
  }
  if (dominoIsStopped) return;
  const server = findDomino(options.domino);
  if (server === undefined) return;
  const harmed: string[] = [];
  const { dataDirectory } = server;
  const { volumes } = await call.race(binding.findDatabases({ dataDirectory, excludeDirectories: [] }));
  if ((await lies(dataDirectory)) || volumes.some(({ device }) => isSameName(device, volume))) {
    harmed.push(`databases (data directory ${dataDirectory})`);
  }
  for (const [what, directory] of besideDatabases(server)) {
    if (existsSync(directory) && (await lies(directory))) harmed.push(`${what} (${directory})`);
  }
  if (harmed.length > 0) {
    const hint = 'Stop the Domino server, then confirm it (dominoIsStopped: true, --domino-is-stopped).';
    throw refuse(`${harmed.join(', ')} of the Domino server are on it`, hint);
  }
}

/** What a server needs besides its databases, and may have on another volume. */
function besideDatabases({ notesIni, dataDirectory }: Server): readonly (readonly [what: string, directory: string])[] {
  const isLogged = notesIni.get('TRANSLOG_Status') === '1' || notesIni.get('TRANSLOG_Path') !== '';
  const daos = daosDirectory(notesIni, dataDirectory);
  return [
    ...(isLogged ? ([['transaction logs', transactionLogDirectory(notesIni, dataDirectory)]] as const) : []),
    ...(daos === '' ? [] : ([['DAOS objects', daos]] as const)),
  ];
}

interface Server {
  readonly notesIni: NotesIni;
  readonly dataDirectory: string;
}

/** The Domino server on this machine; undefined if there is none. */
function findDomino(location: DominoLocation | undefined): Server | undefined {
  try {
    const notesIni = new NotesIni(findNotesIni(location));
    return { notesIni, dataDirectory: notesIni.dataDirectory };
  } catch (error) {
    if (isDominoVssError(error) && error.code === 'ERR_DOMINO_NOTES_INI' && location === undefined) return undefined;
    throw error;
  }
}

/** Longest time between two checks for an abort or the deadline. */
const sliceMs = 5_000;

/** Returns whether the revert ended in time. */
async function waitForRevert(vss: NativeVss, volume: string, call: Call): Promise<boolean> {
  for (;;) {
    // Half of the remaining time, so that enough is left to report that the revert continues instead of failing.
    const timeoutMs = Math.min(sliceMs, Math.ceil(call.remainingMs() / 2));
    const { finished } = await call.race(vss.awaitRevert({ volume, timeoutMs }));
    if (finished || call.remainingMs() < 100) return finished;
  }
}
