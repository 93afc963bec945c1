// The cabinet file that `set metadata` names: the manifest of a snapshot set, its components document and those of its writers.

import { mkdtemp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Call } from '../call/call';
import { readFile, writeFile } from '../call/files';
import { VssError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import { makeStateDirectory } from '../store/state-directory';
import { decodeText } from './script-source';
import type { ScriptMetadata } from './target';

/** What packs and unpacks cabinets, and the call that bounds it. */
interface CabinetTools {
  readonly binding: NativeBinding;
  readonly vss: NonNullable<NativeBinding['vss']>;
  readonly call: Call;
}

/**
 * Reads the two documents of a cabinet that a restore or an import needs. It is unpacked below `stateDirectory`.
 *
 * @throws `ERR_VSS_DOCUMENT` when it has no such document.
 */
export function readCabinet(cabinet: string, stateDirectory: string, tools: CabinetTools): Promise<ScriptMetadata> {
  const { binding, vss, call } = tools;
  return inPrivateDirectory(binding, stateDirectory, async (directory) => {
    const names = await call.race(vss.readCabinet({ cabinet, directory }));
    const read = async (wanted: string): Promise<string> => {
      const name = names.find((candidate) => basename(candidate).toLowerCase() === wanted.toLowerCase());
      if (name !== undefined) return decodeText(await readFile(join(directory, name)));
      throw new VssError('ERR_VSS_DOCUMENT', { volume: cabinet }, { message: `${cabinet} contains no ${wanted}` });
    };
    return { manifest: await read('Manifest.xml'), components: await read('BCDocument.xml') };
  });
}

/** Writes documents, by their names, into a new cabinet. They are collected below `stateDirectory` first. */
export function writeCabinet(
  cabinet: string,
  documents: readonly (readonly [name: string, text: string])[],
  stateDirectory: string,
  { binding, vss, call }: CabinetTools,
): Promise<void> {
  return inPrivateDirectory(binding, stateDirectory, async (directory) => {
    const files = documents.map(([name]) => ({ file: join(directory, name), name }));
    for (const [name, text] of documents) await writeFile(join(directory, name), text);
    await call.race(vss.writeCabinet({ cabinet, files }));
  });
}

/** Private, because these documents say where the data of every writer are. */
async function inPrivateDirectory<T>(
  binding: NativeBinding,
  parent: string,
  body: (directory: string) => Promise<T>,
): Promise<T> {
  await makeStateDirectory(binding, parent);
  const directory = await mkdtemp(join(parent, 'metadata-'));
  try {
    return await body(directory);
  } finally {
    await binding.removeTree(directory);
  }
}
