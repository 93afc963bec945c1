import { realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { RecoveryTools } from '../recover/tools';
import { isPresent } from '../store/file-identity';
import type { Manifest } from '../store/manifest';
import type { JournalChange } from '../store/journal-format';
import { serverFilesDirectory } from '../store/manifest-format';
import { directoryRisk, isInside, leadsInto } from '../store/safe-directory';
import { counted } from '../errors/counted';

/** What belongs to one backup and is removed with it. */
export interface Holdings extends Required<
  Pick<JournalChange, 'provider' | 'shadows' | 'volumes' | 'snapshotSet' | 'exposures'>
> {
  /** Absolute paths of the copies. */
  readonly copies: readonly string[];
  /** Directories of the copies, the deepest last. Those that become empty are removed too. */
  readonly copyDirectories: readonly string[];
  /** How many of the copies are server files. */
  readonly serverFiles: number;
  /** How many databases have change information. */
  readonly deltas: number;
}

/** Providers whose shadows are directories made by us. */
const fileProviders = ['btrfs', 'reflink', 'rolling'];
/** Snapshots taken by another program, which also removes them. */
const foreignProviders = ['external', 'writer'];

/** Parts of a backup that may be left behind when it is removed. */
export interface Leniency {
  readonly hookShadows: 'keep' | 'leave';
  readonly missingCopies: 'keep' | 'forget';
}

/** What is removed with a backup; a text if it must not be removed, with the reason. `stays`: the backups that are kept. */
export async function findHoldings(
  manifest: Manifest,
  stays: readonly Manifest[],
  { binding, call }: Pick<RecoveryTools, 'binding' | 'call'>,
  { hookShadows, missingCopies }: Leniency,
): Promise<Holdings | string> {
  const { provider, counts, vss } = manifest;
  const kept = manifest.volumes.filter((volume) => volume.kept);
  const isOurs = provider.name === 'vss' || fileProviders.includes(provider.name);
  const isHook = !isOurs && !foreignProviders.includes(provider.name);
  if (kept.length > 0 && isHook && hookShadows === 'keep') {
    const roots = kept.map(({ root }) => root).join(', ');
    return `the hook ${provider.name} made its shadow, which only the storage can remove: ${roots}`;
  }
  if (kept.length > 0 && provider.name === 'vss' && !binding.vss) return 'its shadow can only be deleted on Windows';
  const removes = isOurs && kept.length > 0;
  const check = (): void => {
    call.check();
  };
  const found = await findCopies(manifest, { stays, missingCopies, check }, binding);
  if (typeof found === 'string') return found;
  return {
    ...found,
    provider: removes ? provider.name : '',
    shadows: removes ? kept.map(({ id, root }) => (provider.name === 'vss' ? id : root)) : [],
    volumes: removes ? kept.map(({ path }) => path) : [],
    snapshotSet: removes ? (vss?.setId ?? '') : '',
    exposures: removes ? kept.flatMap(({ exposedAs }) => exposedAs ?? []) : [],
    deltas: counts.deltas,
  };
}

async function findCopies(
  manifest: Manifest,
  {
    stays,
    missingCopies,
    check,
  }: Pick<Leniency, 'missingCopies'> & { readonly stays: readonly Manifest[]; readonly check: () => void },
  binding: Pick<RecoveryTools['binding'], 'directoryAccess'>,
): Promise<Pick<Holdings, 'copies' | 'copyDirectories' | 'serverFiles'> | string> {
  const nothing = { copies: [], copyDirectories: [], serverFiles: 0 };
  if (!manifest.copies) return nothing;
  const { directory } = manifest.copies;
  const named = await copiesOf(manifest, check);
  if (!(await anyExists(named))) {
    // They were moved, or their volume is not mounted: without the manifest nobody would know about them any more.
    if (missingCopies === 'keep' && named.length > 0) return `none of its copies is in ${directory}`;
    return nothing;
  }
  const real = await realpath(directory);
  const { refusal } = await directoryRisk(real, binding);
  if (refusal !== '') return `its copies are not safe to remove: ${refusal}`;
  // A server may have been started on its copies after a disaster, and then they are its databases.
  if (await leadsInto(directory, manifest.dataDirectory))
    return `its copies are not safe to remove: ${directory} leads into the data directory ${manifest.dataDirectory}`;
  const others = new Set<string>();
  let shared = false;
  for (const other of stays) {
    const otherDirectory = other.copies?.directory;
    if (otherDirectory === undefined) continue;
    if (!isInside(otherDirectory, directory) && !isInside(directory, otherDirectory)) continue;
    shared = true;
    for (const file of await copiesOf(other, check)) others.add(nameOf(file));
  }
  // After copies were moved away, a later backup may have put its own under the same names.
  const copies = named.filter((file) => !others.has(nameOf(file)));
  const directories = new Set<string>(shared ? [] : [directory]);
  for (const copy of copies) {
    for (let above = dirname(copy); above !== directory && isInside(above, directory); above = dirname(above)) {
      if (directories.has(above)) break;
      directories.add(above);
    }
  }
  // A directory that was replaced by a link must not lead the removal elsewhere.
  for (const one of directories) {
    const target = await realpath(one).catch(() => one);
    if (target !== one && !isInside(target, real))
      return `its copies are not safe to remove: ${one} leads to ${target}`;
  }
  const serverFiles = copies.filter((copy) => isInside(copy, join(directory, serverFilesDirectory))).length;
  return { copies, copyDirectories: [...directories].sort((a, b) => a.length - b.length), serverFiles };
}

async function copiesOf(manifest: Manifest, check: () => void): Promise<string[]> {
  const { copies } = manifest;
  if (!copies) return [];
  const files: string[] = [];
  for await (const { copy, from } of manifest.databases()) {
    check();
    // A database that was carried over belongs to another backup.
    if (from !== undefined) continue;
    const file = copy && resolve(join(copies.directory, copy.file));
    if (file !== undefined && isInside(file, copies.directory)) files.push(file);
  }
  for (const { file } of manifest.serverFiles?.files ?? []) files.push(resolve(join(copies.directory, file)));
  return files;
}

async function anyExists(files: readonly string[]): Promise<boolean> {
  for (const file of files) {
    // If it cannot be accessed, it may exist.
    if (await isPresent(file).catch(() => true)) return true;
  }
  return false;
}

function nameOf(file: string): string {
  return process.platform === 'win32' ? file.toLowerCase() : file;
}

/** In words, for a table. */
export function describeHoldings({ copies, serverFiles, shadows, deltas }: Holdings): string {
  const parts = [
    ...(copies.length > serverFiles ? [counted(copies.length - serverFiles, 'copy', 'copies')] : []),
    ...(serverFiles > 0 ? [counted(serverFiles, 'server file')] : []),
    ...(deltas > 0 ? [counted(deltas, 'delta')] : []),
    ...(shadows.length > 0 ? [counted(shadows.length, 'shadow')] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : 'its manifest';
}
