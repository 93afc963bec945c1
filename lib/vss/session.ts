import { join } from 'node:path';
import { makeDirectory, writeDurably } from '../store/durable';
import type { FileCalls } from '../store/stall';
import { toPublicError, VssError, type DominoVssError, type FailedWriter } from '../errors/errors';
import { describeShadow, type ListedShadow } from './listed-shadow';
import type { ManifestVss } from '../store/manifest-format';
import type { NativeSession } from '../native/session';
import type { NativeVssReport, NativeWriter, NativeWriters } from '../native/vss';
import type { ResolvedVss } from './context';
import { withBackslash } from './windows-names';
import { attributeWords, writerState } from './words';
import type { VssContext } from '../native/vss';
import { describeWriterFailure, describeWriters, type Writer } from './writers';

/** A writer and its part in a snapshot set. */
export interface SetWriter extends Writer {
  /**
   * Why it does not take part; empty if it does. `domino`: Domino's own writer would start a second backup of the same databases.
   */
  readonly excluded: NativeWriter['excluded'];
}

/** What VSS reports about a snapshot set. */
export interface VssSnapshotSet {
  /** Id of the snapshot set. */
  readonly setId: string;
  readonly context: VssContext;
  /** In the order of the volumes. */
  readonly shadows: readonly ListedShadow[];
  /** Writers of this machine; none in contexts without writers. */
  readonly writers: readonly SetWriter[];
  /** Text of the Backup Components Document, fetched at each access; empty if there is none. */
  readonly componentsDocument: string;
}

/** The report of a session's requester; only for the provider `vss`. */
export function reportOf(session: NativeSession): NativeVssReport {
  const report = session.vssReport();
  if (!report) throw new TypeError('the session does not use VSS');
  return report;
}

const noWriters: NativeWriters = { list: [], components: () => [], files: () => [], document: () => '' };

/** The current writers of a session. */
function writersOf(session: NativeSession): NativeWriters {
  return session.vssWriters() ?? noWriters;
}

/** Readable directories of the shadows; empty for a shadow that cannot be read on this machine. */
export function shadowRoots(session: NativeSession): string[] {
  return reportOf(session).shadows.map(({ device }) => (device === '' ? '' : withBackslash(device)));
}

/** The parts of a backup that concern VSS. */
interface VssWork {
  readonly session: NativeSession;
  /** The settings of the requester; absent for other providers. */
  readonly provider: { readonly vss?: ResolvedVss };
}

/** Called only when the machine is no longer locked for other shadows: writers can have much to report. */
export async function describeSet({ session, provider }: VssWork): Promise<VssSnapshotSet | undefined> {
  if (!provider.vss) return undefined;
  const { setId, shadowIds, shadows } = reportOf(session);
  const own = new Set(shadowIds);
  const writers = writersOf(session);
  const described = await describeWriters(writers);
  return {
    setId,
    context: provider.vss.context,
    shadows: shadows.map((shadow) => describeShadow(shadow, own)),
    // Not spread, because that would fetch the document.
    writers: described.map((writer, index) =>
      Object.assign(writer, { excluded: writers.list[index]?.excluded ?? ('' as const) }),
    ),
    get componentsDocument() {
      return session.vssComponentsDocument();
    },
  };
}

/** Adds the writers that had failed by then to an error of VSS. */
export function withFailedWriters(thrown: unknown, session: NativeSession): DominoVssError {
  const error = toPublicError(thrown);
  if (!(error instanceof VssError)) return error;
  const writers = writersOf(session)
    .list.filter(({ failure }) => failure !== 0)
    .map(failedWriter);
  if (writers.length === 0) return error;
  const { code, operation, hresult, hresultName, volume, message, phase, hint, cause } = error;
  const names = writers.map(({ name, state, hresultHex }) => `${name} (${state}, ${hresultHex})`).join(', ');
  const what = { operation, hresult, hresultName, volume, writers };
  return new VssError(code, what, { message: `${message}; failed writers: ${names}`, phase, hint, cause });
}

function failedWriter(writer: NativeWriter): FailedWriter {
  const { name, id, instanceId } = writer;
  const { hresult, hresultHex, hresultName, applicationMessage, hint } = describeWriterFailure(writer);
  const state = writerState(writer.state);
  return { name, id, instanceId, state, hresult, hresultHex, hresultName, applicationMessage, hint };
}

/**
 * Saves the VSS documents beside the manifest; a restore of the writers' data needs them. Returns the description of the set for
 * the manifest; null for other providers.
 */
export async function saveVssDocuments(
  { directory, session, provider }: VssWork & { readonly directory: string },
  calls: FileCalls,
  /** Path from the directory of the backup to this directory. */
  prefix = '',
): Promise<ManifestVss | null> {
  if (!provider.vss) return null;
  const { setId, shadows } = reportOf(session);
  const writers = writersOf(session);
  /** Path relative to the directory of the backup; empty if the text is empty. */
  const save = async (file: string, text: string): Promise<string> => {
    if (text === '') return '';
    const own = join(directory, 'vss');
    await calls.wait('mkdir', own, makeDirectory(own, 0o700));
    const written = join(directory, file);
    await writeDurably(written, (handle) => calls.wait('write', written, handle.writeFile(text)), { calls });
    return prefix + file;
  };
  const componentsDocument = await save('vss/components.xml', session.vssComponentsDocument());
  const documents: string[] = [];
  // One after the other, so that only one is in memory.
  for (const index of writers.list.keys()) {
    documents.push(await save(`vss/writer-${index}.xml`, writers.document(index)));
  }
  return {
    setId,
    context: provider.vss.context,
    backupType: provider.vss.backupType,
    providerId: shadows[0]?.providerId ?? '',
    attributes: attributeWords(shadows[0]?.attributes ?? 0),
    componentsDocument,
    writers: writers.list.map((writer, index) => {
      const { name, id, instanceId, state, excluded, failure, failureName } = writer;
      return {
        name,
        id,
        instanceId,
        state: writerState(state),
        failure: failure === 0 ? '' : [failureName, describeWriterFailure(writer).hresultHex].filter(Boolean).join(' '),
        excluded,
        document: documents[index] ?? '',
      };
    }),
  };
}
