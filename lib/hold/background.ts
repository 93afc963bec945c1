import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { BackupReport } from '../backup/report';
import { Call, publicCall } from '../call/call';
import { launchSettings } from '../domino/launch';
import { AbortError, BackupError, DominoVssError, OptionError } from '../errors/errors';
import { describeEnd, recoverCommand, type ProcessEnd } from '../store/ended-process';
import { journalDirectory } from '../store/journals';
import type { NativeBinding } from '../native/session';
import { ownProgram } from '../native/package-root';
import { enteringMs, type HoldOptions, type ReleaseOptions } from './hold';
import {
  fromErrorRecord,
  holdState,
  makeHoldDirectory,
  readHolds,
  removeHold,
  type HoldEnd,
  type HoldRecord,
  type HoldState,
} from './hold-record';
import { answerIn, type HolderMessage, type HolderRequest } from './holder-messages';

export type { HoldState } from './hold-record';

/** A hold kept by a separate process. */
export interface BackgroundHold {
  /** Id of the backup. */
  readonly id: string;
  readonly deltaDirectory: string;
  /** Number of databases found and selected. */
  readonly databases: number;
  /** Top directories of the volumes that the snapshot must contain. */
  readonly volumes: readonly string[];
  readonly heldAt: string;
  /** When the databases leave backup mode if nobody releases the hold. */
  readonly deadline: string;
  /**
   * `held`: the databases are in backup mode. `ended`: they have left it, and nobody has asked yet how the hold ended. `dead`:
   * the process that held them is gone; the next backup or `recoverInterrupted` cleans up after it.
   */
  readonly state: HoldState;
}

/** Selects a hold. */
export interface HoldSelector {
  /** Id of the backup. Default: the only hold. */
  readonly id?: string | undefined;
  /** Only holds with this delta directory. */
  readonly deltaDirectory?: string | undefined;
}

/** Puts the databases into backup mode in a process that outlives this one. Settles when all are in backup mode. */
export function startHold(
  loadBinding: () => NativeBinding,
  { signal, ...options }: Omit<HoldOptions, 'onProgress'>,
): Promise<BackgroundHold> {
  return publicCall(async () => {
    const directory = await makeHoldDirectory(loadBinding());
    // Nobody has asked how these ended, and once the next hold has begun, nobody will.
    for (const record of await readHolds(directory)) {
      if (record.deltaDirectory === options.deltaDirectory && holdState(record) !== 'held') {
        await removeHold(directory, record);
      }
    }
    const { cwd, env } = launchSettings(options.domino);
    const holder = fork(ownProgram(join(__dirname, 'holder.js')), [], {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [],
    });
    const call = new Call({ timeoutMs: startMs(options), phase: 'start' });
    // The holder rolls everything back as soon as nobody waits for it.
    const leave = (): void => {
      if (holder.connected) holder.disconnect();
    };
    signal?.addEventListener('abort', leave);
    try {
      if (signal?.aborted) leave();
      const message = await call.race(firstMessage(holder, options));
      if (signal?.aborted) {
        if (message && 'held' in message) await giveUpAgain(directory, message.held);
        throw new AbortError(signal.reason, 'start');
      }
      if (message === undefined) throw await describeEnd('hold', await endOfProcess(holder), options);
      if ('error' in message) throw fromErrorRecord(message.error);
      return describe(message.held);
    } finally {
      signal?.removeEventListener('abort', leave);
      holder.unref();
      leave();
    }
  });
}

/** The holder limits the time of its own calls; this limit is for a holder that never gets that far. */
function startMs({ timeoutMs = 600_000 }: Pick<HoldOptions, 'timeoutMs'>): number {
  return timeoutMs + enteringMs + 60_000;
}

/** Undefined if the process ended without a message. */
function firstMessage(holder: ChildProcess, options: object): Promise<HolderMessage | undefined> {
  return new Promise((resolve, reject) => {
    holder.once('message', (message) => {
      resolve(message as HolderMessage);
    });
    holder.once('error', reject);
    holder.once('exit', () => {
      resolve(undefined);
    });
    if (!holder.connected) return;
    holder.send(options, (error) => {
      if (error) resolve(undefined);
    });
  });
}

/** How a process ended that has closed its channel. */
async function endOfProcess(holder: ChildProcess): Promise<ProcessEnd> {
  if (holder.exitCode === null && holder.signalCode === null && holder.pid !== undefined) await once(holder, 'exit');
  return {
    pid: holder.pid ?? 0,
    exitCode: holder.exitCode ?? undefined,
    signal: holder.signalCode ?? '',
    hung: false,
  };
}

/** Gives up a hold that was reported as held at the moment of the abort. */
async function giveUpAgain(directory: string, record: HoldRecord): Promise<void> {
  await ask(record, { type: 'give-up' }, undefined);
  await removeHold(directory, record);
}

/** The holds on this machine, including ended ones whose result nobody has asked for. */
export function listHolds(loadBinding: () => NativeBinding): Promise<BackgroundHold[]> {
  return publicCall(async () => (await readHolds(await makeHoldDirectory(loadBinding()))).map(describe));
}

/**
 * Ends a hold: the snapshot exists.
 *
 * @throws `ERR_HOLD_EXPIRED` if it had already timed out, `ERR_NOT_HELD` if nothing is held: the snapshot is then useless.
 */
export function releaseHold(
  loadBinding: () => NativeBinding,
  selector: HoldSelector,
  { signal, ...options }: ReleaseOptions,
): Promise<BackupReport> {
  return publicCall(async () => {
    const end = await endHold(loadBinding, selector, { type: 'release', options }, signal);
    if (end === undefined) throw gone('nothing is held');
    if ('error' in end) throw fromErrorRecord(end.error);
    return end.report;
  });
}

/**
 * Ends a hold without a backup. Returns whether there was one.
 *
 * @throws `ERR_STATE` if it had already been released, `ERR_NOT_HELD` if the process that held the databases has died: they may still be in
 * backup mode.
 */
export function giveUpHold(loadBinding: () => NativeBinding, selector: HoldSelector): Promise<boolean> {
  return publicCall(async () => {
    const record = await findHold(loadBinding, selector);
    if (!record) return false;
    const end = await endHold(loadBinding, { id: record.id }, { type: 'give-up' }, undefined);
    if (end && 'report' in end) throw new DominoVssError('ERR_STATE', { message: `${record.id} was released before` });
    return record.state === 'held';
  });
}

/** The selected hold; undefined if there is none. */
export function findHold(
  loadBinding: () => NativeBinding,
  selector: HoldSelector,
): Promise<BackgroundHold | undefined> {
  return publicCall(async () => {
    const record = choose(await readHolds(await makeHoldDirectory(loadBinding())), selector);
    return record && describe(record);
  });
}

async function endHold(
  loadBinding: () => NativeBinding,
  selector: HoldSelector,
  request: HolderRequest,
  signal: AbortSignal | undefined,
): Promise<HoldEnd | undefined> {
  const directory = await makeHoldDirectory(loadBinding());
  const record = choose(await readHolds(directory), selector);
  if (!record) return undefined;
  const end = record.end ?? (await ask(record, request, signal)) ?? (await endOf(directory, record));
  await removeHold(directory, record);
  return end;
}

function choose(records: readonly HoldRecord[], { id, deltaDirectory }: HoldSelector): HoldRecord | undefined {
  const meant = records.filter(
    (record) =>
      (id === undefined || record.id === id) &&
      (deltaDirectory === undefined || record.deltaDirectory === deltaDirectory),
  );
  // Active holds come before ended ones: an ended hold of another delta directory may stay there forever.
  const held = meant.filter((record) => holdState(record) === 'held');
  const candidates = held.length > 0 ? held : meant;
  if (candidates.length > 1) {
    throw new OptionError('id', `there are several; name one of: ${candidates.map((record) => record.id).join(', ')}`);
  }
  return candidates[0];
}

/** The time that the holder allows itself, plus a minute to roll back after a failure. */
function answerMs(request: HolderRequest): number {
  if (request.type === 'give-up') return 120_000;
  const { timeoutMs, hash = false } = request.options;
  return (timeoutMs ?? (hash ? 86_400_000 : 600_000)) + 180_000;
}

/** Undefined if no holder answers. */
async function ask(
  { channel }: HoldRecord,
  request: HolderRequest,
  signal: AbortSignal | undefined,
): Promise<HoldEnd | undefined> {
  const call = new Call({ signal, timeoutMs: answerMs(request), phase: 'end' });
  const socket = connect(channel);
  try {
    const answered = new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', resolve);
    }).then(() => {
      socket.write(`${JSON.stringify(request)}\n`);
      return text(socket);
    });
    const line = await call.race(
      answered.catch((error: unknown) => {
        const { code = '' } = error as NodeJS.ErrnoException;
        if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(code)) return '';
        throw error;
      }),
    );
    if (!line.endsWith('\n')) return undefined;
    const answer = answerIn(line);
    if (answer !== undefined && 'refused' in answer) throw fromErrorRecord(answer.refused);
    return answer;
  } finally {
    socket.destroy();
  }
}

/** For a hold whose holder does not answer: it has just ended, or has died. Undefined if what it had left was cleaned up. */
async function endOf(directory: string, { id, deltaDirectory }: HoldRecord): Promise<HoldEnd | undefined> {
  const record = (await readHolds(directory)).find((candidate) => candidate.id === id);
  if (record?.end) return record.end;
  // As long as nobody has cleaned up after it, nobody is told that all is well.
  if (record && (await isCleanedUp(record))) {
    await removeHold(directory, record);
    return undefined;
  }
  throw gone(
    `the process that held the databases for ${id} is gone; they may still be in backup mode`,
    `Run: ${recoverCommand({ deltaDirectory })}. The next backup does the same.`,
  );
}

/** If its delta directory cannot be read now, its journal may be there. */
async function isCleanedUp({ id, deltaDirectory }: HoldRecord): Promise<boolean> {
  const names = await readdir(journalDirectory(deltaDirectory)).catch(() => undefined);
  return names !== undefined && !names.includes(`${id}.journal`);
}

function gone(message: string, hint?: string): DominoVssError {
  return new BackupError('ERR_NOT_HELD', { message, phase: 'shadow', ...(hint !== undefined && { hint }) });
}

function describe(record: HoldRecord): BackgroundHold {
  const { id, deltaDirectory, databases, volumes, heldAt, deadline } = record;
  return { id, deltaDirectory, databases, volumes, heldAt, deadline, state: holdState(record) };
}
