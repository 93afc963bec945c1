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

/** Options of `revertToShadow`. */
export interface RevertToShadowOptions extends VssCallOptions {
  readonly id: string;
  /**
   * Absolute path of the delta directory. A volume that holds it is not reverted, because its backups would be lost.
   */
  readonly deltaDirectory?: string | undefined;
  /**
   * Where Domino is. Default: searched for in the environment and in the standard locations, if it is on this machine
   * at all.
   */
  readonly domino?: DominoLocation | undefined;
  /**
   * Confirms that the Domino server is down. Without it, no volume that holds its databases, transaction logs or DAOS
   * objects is reverted. Default: false.
   */
  readonly dominoIsStopped?: boolean | undefined;
  /** Closes what is open on the volume. Default: false. */
  readonly forceDismount?: boolean | undefined;
}

/** Options of `queryRevertStatus`. */
export interface QueryRevertStatusOptions extends VssCallOptions {
  /** `D:`, a mount point, or `\\?\Volume{…}\`. */
  readonly volume: string;
}

/** The progress of a revert. */
export interface RevertStatus {
  /** `\\?\Volume{…}\`. */
  readonly volume: string;
  /** Whether no revert of the volume is running (any more). A running one cannot be stopped. */
  readonly finished: boolean;
}

/** What `revertToShadow` has done. */
export interface RevertReport extends RevertStatus {
  readonly shadow: ListedShadow;
}

/** Reverting copies back what has changed on the volume since. */
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

/** Refuses what would pull the ground from under a running server, or destroy what a restore needs. */
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
    throw refuse(`the delta directory ${deltaDirectory} lies on it, with every backup and journal`, hint);
  }
  const ofScripts = stateDirectory();
  if (existsSync(ofScripts) && (await lies(ofScripts))) {
    const hint = 'Move it away first; after the revert, merge what has come since into what has come back.';
    throw refuse(`the journals and manifests of scripts in ${ofScripts} lie on it`, hint);
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
    const hint = 'Stop the Domino server, then say so (dominoIsStopped: true, --domino-is-stopped).';
    throw refuse(`${harmed.join(', ')} of the Domino server lie on it`, hint);
  }
}

/** What a server needs besides its databases, and may have on a volume of its own. */
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

/** The Domino on this machine; undefined when there is none. */
function findDomino(location: DominoLocation | undefined): Server | undefined {
  try {
    const notesIni = new NotesIni(findNotesIni(location));
    return { notesIni, dataDirectory: notesIni.dataDirectory };
  } catch (error) {
    if (isDominoVssError(error) && error.code === 'ERR_DOMINO_NOTES_INI' && location === undefined) return undefined;
    throw error;
  }
}

/** Longest stretch without looking whether the caller has aborted, or the time is over. */
const sliceMs = 5_000;

/** Whether the revert ended before the time did. */
async function waitForRevert(vss: NativeVss, volume: string, call: Call): Promise<boolean> {
  for (;;) {
    // The half leaves time to say that it goes on, instead of failing.
    const timeoutMs = Math.min(sliceMs, Math.ceil(call.remainingMs() / 2));
    const { finished } = await call.race(vss.awaitRevert({ volume, timeoutMs }));
    if (finished || call.remainingMs() < 100) return finished;
  }
}
