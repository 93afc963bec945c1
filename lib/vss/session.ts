import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../store/durable';
import { toPublicError, VssError, type DominoVssError, type FailedWriter } from '../errors/errors';
import { describeShadow, type ListedShadow } from './listed-shadow';
import type { ManifestVss } from '../store/manifest-format';
import type { NativeSession } from '../native/session';
import type { NativeVssReport, NativeWriter } from '../native/vss';
import type { ResolvedVss } from './context';
import { withBackslash } from './windows-names';
import { attributeWords, writerState } from './words';
import type { VssContext } from '../native/vss';
import { describeWriter, describeWriterFailure, type Writer } from './writers';

/** A writer, and what became of it in a snapshot set. */
export interface SetWriter extends Writer {
  /**
   * Why it takes no part; empty for one that does. `domino`: Domino's own writer would start a second backup of the same
   * databases.
   */
  readonly excluded: NativeWriter['excluded'];
}

/** What VSS knows of a snapshot set. */
export interface VssSnapshotSet {
  /** Id of the snapshot set. */
  readonly setId: string;
  readonly context: VssContext;
  /** In the order of the volumes. */
  readonly shadows: readonly ListedShadow[];
  /** Writers of this machine; none in contexts without writers. */
  readonly writers: readonly SetWriter[];
  /** Text of the Backup Components Document; empty when there is none. */
  readonly componentsDocument: string;
}

/** What the requester of a session has learnt; only for sessions with the provider `vss`. */
export function reportOf(session: NativeSession): NativeVssReport {
  const report = session.vssReport();
  if (!report) throw new TypeError('the session is not one of VSS');
  return report;
}

/** Readable directories of the shadows; empty for one that cannot be read on this machine. */
export function shadowRoots(session: NativeSession): string[] {
  return reportOf(session).shadows.map(({ device }) => (device === '' ? '' : withBackslash(device)));
}

/** What of a backup concerns VSS. */
interface VssWork {
  readonly session: NativeSession;
  /** How the requester is set up; absent for other providers. */
  readonly provider: { readonly vss?: ResolvedVss };
}

export function describeSet({ session, provider }: VssWork): VssSnapshotSet | undefined {
  if (!provider.vss) return undefined;
  const { setId, shadowIds, shadows, writers, componentsDocument } = reportOf(session);
  const own = new Set(shadowIds);
  return {
    setId,
    context: provider.vss.context,
    shadows: shadows.map((shadow) => describeShadow(shadow, own)),
    writers: writers.map((writer) => ({ ...describeWriter(writer), excluded: writer.excluded })),
    componentsDocument,
  };
}

/** What had failed by the time of an error of VSS belongs to it. */
export function withFailedWriters(thrown: unknown, session: NativeSession): DominoVssError {
  const error = toPublicError(thrown);
  if (!(error instanceof VssError)) return error;
  const writers = (session.vssReport()?.writers ?? []).filter(({ failure }) => failure !== 0).map(failedWriter);
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
 * Saves the documents of VSS beside the manifest, without which a restore of the writers' data is not possible, and
 * describes the set for the manifest; null for other providers.
 */
export async function saveVssDocuments({
  directory,
  session,
  provider,
}: VssWork & { readonly directory: string }): Promise<ManifestVss | null> {
  if (!provider.vss) return null;
  const { setId, shadows, writers, componentsDocument } = reportOf(session);
  const documents: { readonly file: string; readonly text: string }[] = [
    { file: 'vss/components.xml', text: componentsDocument },
    ...writers.map(({ document }, index) => ({ file: `vss/writer-${index}.xml`, text: document })),
  ];
  const saved = documents.filter(({ text }) => text !== '');
  if (saved.length > 0) await mkdir(join(directory, 'vss'), { recursive: true, mode: 0o700 });
  for (const { file, text } of saved) await writeDurably(join(directory, file), (handle) => handle.writeFile(text));
  const path = (index: number): string => (documents[index]?.text === '' ? '' : (documents[index]?.file ?? ''));
  return {
    setId,
    context: provider.vss.context,
    backupType: provider.vss.backupType,
    providerId: shadows[0]?.providerId ?? '',
    attributes: attributeWords(shadows[0]?.attributes ?? 0),
    componentsDocument: path(0),
    writers: writers.map((writer, index) => {
      const { name, id, instanceId, state, excluded, failure, failureName } = writer;
      return {
        name,
        id,
        instanceId,
        state: writerState(state),
        failure: failure === 0 ? '' : [failureName, describeWriterFailure(writer).hresultHex].filter(Boolean).join(' '),
        excluded,
        document: path(index + 1),
      };
    }),
  };
}
