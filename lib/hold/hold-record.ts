import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupReport } from '../backup/report';
import { readFile, readWithoutWaiting } from '../call/files';
import type { DominoVssError } from '../errors/errors';
import { revivedError } from '../errors/revived';
import type { NativeBinding } from '../native/session';
import { makeDirectory, writeDurably } from '../store/durable';
import { isAlive, isOfThisHost, type ProcessIdentity } from '../store/process-identity';
import { makeStateDirectory, stateDirectory } from '../store/state-directory';

/** An error as it is passed to another process. */
export type ErrorRecord = Readonly<Record<string, unknown>> & { readonly code: string; readonly message: string };

/** How a hold ended. */
export type HoldEnd = { readonly report: BackupReport } | { readonly error: ErrorRecord };

/** A hold kept by a separate process, as recorded in the state directory until its result has been asked for. */
export interface HoldRecord {
  readonly formatVersion: 1;
  /** Id of the backup. */
  readonly id: string;
  readonly deltaDirectory: string;
  readonly databases: number;
  readonly volumes: readonly string[];
  readonly heldAt: string;
  readonly deadline: string;
  /** Name of the socket (on Windows: pipe) on which the holder listens. */
  readonly channel: string;
  readonly holder: ProcessIdentity;
  /** Absent while the databases are held. */
  readonly end?: HoldEnd | undefined;
}

/** State of a hold: its process holds the databases, has released them, or died before either. */
export type HoldState = 'held' | 'ended' | 'dead';

export function holdState({ end, holder }: HoldRecord): HoldState {
  if (end) return 'ended';
  return isOfThisHost(holder) && isAlive(holder) ? 'held' : 'dead';
}

/** Created and checked like the state directory that contains it: anyone who can write here could release the holds of others. */
export async function makeHoldDirectory(binding: NativeBinding): Promise<string> {
  const state = stateDirectory();
  await makeStateDirectory(binding, state);
  const directory = join(state, 'holds');
  await makeDirectory(directory, 0o700);
  return directory;
}

/** A socket path has at most 107 bytes, and the state directory of a test can be very long. */
export function channelName(directory: string, id: string): string {
  return process.platform === 'win32' ? `\\\\.\\pipe\\domino-vss-hold-${id}` : join(directory, `${id}.sock`);
}

export async function writeHold(directory: string, record: HoldRecord): Promise<void> {
  await writeDurably(join(directory, `${record.id}.json`), (handle) => handle.writeFile(JSON.stringify(record)));
}

export async function removeHold(directory: string, { id }: HoldRecord): Promise<void> {
  await rm(join(directory, `${id}.json`), { force: true });
  if (process.platform !== 'win32') await rm(channelName(directory, id), { force: true });
}

/** The holds on this machine, the oldest first. Other files are ignored, and so are records of other versions. */
export async function readHolds(directory: string): Promise<HoldRecord[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  const records = await Promise.all(names.map((name) => readHold(directory, name)));
  return records.filter((record) => record !== undefined);
}

async function readHold(directory: string, name: string): Promise<HoldRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(join(directory, name), 'utf8', readWithoutWaiting));
    // Its id names the files that are removed with it.
    return isHoldRecord(record) && name === `${record.id}.json` ? record : undefined;
  } catch {
    // The record was removed in the meantime.
    return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';

function isHoldRecord(value: unknown): value is HoldRecord {
  const { formatVersion, databases, volumes, holder, end, ...texts } = (value ?? {}) as Partial<HoldRecord>;
  return (
    formatVersion === 1 &&
    [texts.id, texts.deltaDirectory, texts.heldAt, texts.deadline, texts.channel].every(isText) &&
    Number.isSafeInteger(databases) &&
    Array.isArray(volumes) &&
    volumes.every(isText) &&
    Number.isSafeInteger(holder?.pid) &&
    [holder?.processStart, holder?.boot, holder?.host].every(isText) &&
    (end === undefined || isHoldEnd(end))
  );
}

export function isHoldEnd(value: unknown): value is HoldEnd {
  if (typeof value !== 'object' || value === null) return false;
  if ('error' in value) return isErrorRecord(value.error);
  return 'report' in value && typeof value.report === 'object' && value.report !== null;
}

export function isErrorRecord(value: unknown): value is ErrorRecord {
  const { code, message } = (value ?? {}) as Partial<ErrorRecord>;
  return isText(code) && isText(message);
}

export function toErrorRecord(error: DominoVssError): ErrorRecord {
  return error.toJSON() as ErrorRecord;
}

/** The error with its class and fields. The cause is only what the record contains. */
export function fromErrorRecord({ name, message, ...rest }: ErrorRecord): Error {
  // The class computes `retryable` from the other fields.
  const fields = Object.entries(rest).filter(([field]) => field !== 'retryable');
  return revivedError(String(name), message, Object.fromEntries(fields));
}
