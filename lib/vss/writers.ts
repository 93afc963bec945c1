import { forEachIndex } from '../call/event-loop';
import { formatHresult } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import type { NativeWriter, NativeWriters } from '../native/vss';
import { boolean } from '../call/options';
import { adviceOnHresult } from '../errors/vss-advice';
import { vssCall, type VssCallOptions } from './call';
import {
  componentType,
  writerSource,
  writerState,
  writerUsage,
  type WriterComponentType,
  type WriterSource,
  type WriterUsage,
} from './words';
import type { WriterState } from '../native/vss';
import { errorCodes } from '../errors/codes';

/** Options of `listWriters`. */
export interface ListWritersOptions extends VssCallOptions {
  /** Also asks every writer for its state, which takes longer. Default: false. */
  readonly status?: boolean | undefined;
}

/** Files of a writer's component, or files that the writer excludes. */
export interface WriterFiles {
  /** Directory; may contain environment variables. */
  readonly path: string;
  /** File name with wildcards. */
  readonly fileSpec: string;
  /** Whether subdirectories are included. */
  readonly recursive: boolean;
}

/** A part of a writer's data that can be backed up individually. */
export interface WriterComponent {
  readonly type: WriterComponentType;
  readonly logicalPath: string;
  readonly name: string;
  readonly caption: string;
  /** Whether it can be selected individually for backup. */
  readonly selectable: boolean;
  readonly selectableForRestore: boolean;
  readonly files: readonly WriterFiles[];
}

/** Why a writer failed. */
export interface WriterFailure {
  /** HRESULT as an unsigned number. */
  readonly hresult: number;
  /** {@link hresult} as text, for example `0x800423F4`. */
  readonly hresultHex: string;
  /** For example `VSS_E_WRITERERROR_NONRETRYABLE`; empty if the number has no known name. */
  readonly hresultName: string;
  /** Error number of the writer's application; 0 for none. */
  readonly applicationHresult: number;
  /** Error text of the writer's application; empty for none. */
  readonly applicationMessage: string;
  readonly retryable: boolean;
  /** What can be done about it. */
  readonly hint: string;
}

/** A VSS writer: an application that makes its data consistent for a shadow. */
export interface Writer {
  /** Class id, the same on every machine. */
  readonly id: string;
  /** Identifies this run of the writer. */
  readonly instanceId: string;
  readonly name: string;
  readonly usage: WriterUsage;
  readonly source: WriterSource;
  readonly components: readonly WriterComponent[];
  /** Files that need no backup. */
  readonly excludedFiles: readonly WriterFiles[];
  /** `unknown` if the status was not requested. */
  readonly state: WriterState;
  /** null if it has not failed, or its status was not requested. */
  readonly failure: WriterFailure | null;
  /** Its metadata document (XML), fetched at each access. */
  readonly document: string;
}

/** Items that cross the boundary in one call, which takes less than a millisecond. */
const blockSize = 128;

/** The writers of this machine, by name. */
export function listWriters(loadBinding: () => NativeBinding, options: ListWritersOptions): Promise<readonly Writer[]> {
  return vssCall(loadBinding, options, { status: boolean }, async ({ vss, call }) => {
    const { status = false } = options;
    const writers = await call.race(vss.listWriters({ status, timeoutMs: call.remainingMs() }));
    return (await describeWriters(writers)).sort((a, b) => a.name.localeCompare(b.name));
  });
}

/** Fetches everything that writers report except their documents, and lets the event loop turn in between. */
export async function describeWriters(writers: NativeWriters): Promise<Writer[]> {
  const described: Writer[] = [];
  for (const [index, writer] of writers.list.entries()) {
    const { id, instanceId, name } = writer;
    described.push({
      id,
      instanceId,
      name,
      usage: writerUsage(writer.usage),
      source: writerSource(writer.source),
      ...(await describeComponents(writers, index)),
      state: writerState(writer.state),
      failure: writer.failure === 0 ? null : describeWriterFailure(writer),
      get document() {
        return writers.document(index);
      },
    });
  }
  return described;
}

async function describeComponents(
  writers: NativeWriters,
  writer: number,
): Promise<Pick<Writer, 'components' | 'excludedFiles'>> {
  const { components: count = 0, excludedFiles = 0 } = writers.list[writer] ?? {};
  const components = await fetchBlocks(count, (from) => writers.components({ writer, from, count: blockSize }));
  const included = components.reduce((sum, { files }) => sum + files, 0);
  const files = await fetchBlocks(included + excludedFiles, (from) =>
    writers.files({ writer, from, count: blockSize }),
  );
  let taken = 0;
  return {
    components: components.map((component) => ({
      ...component,
      type: componentType(component.type),
      files: files.slice(taken, (taken += component.files)),
    })),
    excludedFiles: files.slice(taken),
  };
}

async function fetchBlocks<T>(count: number, fetch: (from: number) => readonly T[]): Promise<T[]> {
  const all: T[] = [];
  const visit = (block: number): void => {
    all.push(...fetch(block * blockSize));
  };
  await forEachIndex(Math.ceil(count / blockSize), visit, { checkEvery: 1 });
  return all;
}

export function describeWriterFailure(writer: NativeWriter): WriterFailure {
  const advice = adviceOnHresult(writer.failure);
  return {
    hresult: writer.failure,
    hresultHex: formatHresult(writer.failure),
    hresultName: writer.failureName,
    applicationHresult: writer.applicationFailure,
    applicationMessage: writer.applicationMessage,
    retryable: advice?.retryable ?? errorCodes.ERR_VSS_WRITER.retryable,
    hint: advice?.hint ?? errorCodes.ERR_VSS_WRITER.action,
  };
}
