import type { Alias } from './aliases';
import type { Call } from '../call/call';
import { forEachIndex } from '../call/event-loop';
import type { NativeBinding, NativeCatalog, NativeTexts } from '../native/session';

/** Every database in the data directory and behind its links, as parallel columns. */
export interface Catalog extends Omit<NativeCatalog, 'paths' | 'files' | 'fileIds' | 'aliases' | 'aliasPaths'> {
  readonly paths: readonly string[];
  readonly files: readonly string[];
  readonly fileIds: readonly string[];
  readonly aliases: readonly Alias[];
}

export async function listCatalog(
  binding: NativeBinding,
  place: Parameters<NativeBinding['findDatabases']>[0],
  call: Call,
): Promise<Catalog> {
  const { paths, files, fileIds, aliases, aliasPaths, ...rest } = await call.race(binding.findDatabases(place));
  const targets = await stringsOf(aliasPaths);
  return {
    ...rest,
    paths: await stringsOf(paths),
    files: await stringsOf(files),
    fileIds: await stringsOf(fileIds),
    aliases: (await stringsOf(aliases)).map((alias, index) => ({ alias, path: targets[index] ?? '' })),
  };
}

async function stringsOf(blocks: NativeTexts): Promise<string[]> {
  const decoder = new TextDecoder();
  const strings: string[] = [];
  const decode = (index: number): void => {
    strings.push(...decoder.decode(blocks[index]).split('\0'));
  };
  await forEachIndex(blocks.length, decode, { checkEvery: 1 });
  return strings;
}
