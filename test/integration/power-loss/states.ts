import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { Entry, Operation, Tree } from './recording';

/**
 * What a power loss may leave of a change that no sync has made durable: all of it, nothing, or, for the bytes of a file, the
 * first half, or zeros in their place (the new size was written but not the bytes).
 */
type Kept = 'all' | 'nothing' | 'half' | 'zeros';

/** The changes of one directory entry, or the bytes written to one file between two syncs: they are kept or lost together. */
interface Unit {
  readonly operations: readonly number[];
  readonly isBytes: boolean;
  /** The directory whose entry it is; empty for bytes. */
  readonly directory: string;
}

/** A file of a state: its contents, and how many of its operations they include. */
export interface StateFile {
  readonly kind: 'file';
  readonly inode: number;
  readonly bytes: Buffer;
  readonly version: number;
}

export type State = ReadonlyMap<string, StateFile | Exclude<Entry, { readonly kind: 'file' }>>;

/** A state that a power loss after the first operations of a record allows. */
export interface CrashState {
  readonly what: string;
  readonly build: () => State;
}

/** The states that power losses during a recorded piece of work allow. */
export class CrashStates {
  /** The roots are the recorded directories; their parents exist in every state. */
  constructor(
    private readonly roots: readonly string[],
    private readonly before: Tree,
    private readonly operations: readonly Operation[],
  ) {}

  get length(): number {
    return this.operations.length;
  }

  /** The state after all of the work, all of it on disk. */
  final(): State {
    return this.#build(this.operations.length, new Map());
  }

  /**
   * The states after the first `after` operations, each once. If few changes are not yet durable: all combinations. Otherwise:
   * none and all of them, each change alone kept and alone lost, each prefix, everything except the changes of one directory, and
   * some random combinations.
   */
  *after(after: number, random: () => number): Generator<CrashState> {
    const units = this.#pending(after);
    for (const [what, choice] of choices(units, random)) {
      const kept = new Map<number, Kept>();
      units.forEach(({ operations }, index) => {
        for (const operation of operations) kept.set(operation, choice[index] ?? 'all');
      });
      yield { what, build: () => this.#build(after, kept) };
    }
  }

  /** How many states there are after this many operations. */
  count(after: number): number {
    return [...choices(this.#pending(after), () => 0)].length;
  }

  /** Changes that no sync has made durable, in order. */
  #pending(after: number): Unit[] {
    const bytes = new Map<number, number[]>();
    const entries: { readonly operation: number; readonly directories: readonly string[] }[] = [];
    let pendingEntries = entries;
    for (const [index, operation] of this.operations.slice(0, after).entries()) {
      switch (operation.type) {
        case 'write':
        case 'size':
          bytes.set(operation.inode, [...(bytes.get(operation.inode) ?? []), index]);
          break;
        case 'sync':
          bytes.delete(operation.inode);
          break;
        case 'sync-file-system':
          // Each recorded directory may be a separate file system.
          for (const inode of bytes.keys()) {
            const root = this.#rootOf(operation.path);
            if (this.#pathsOf(inode).some((path) => this.#rootOf(path) === root)) bytes.delete(inode);
          }
          pendingEntries = pendingEntries.filter(({ directories }) => {
            // The entry of the root itself is in the file system above it.
            return !directories.every((directory) => this.#rootOf(directory) === this.#rootOf(operation.path));
          });
          break;
        case 'sync-directory':
          pendingEntries = pendingEntries.filter(({ directories }) => !directories.includes(operation.path));
          break;
        case 'rename':
          pendingEntries.push({ operation: index, directories: [dirname(operation.path), dirname(operation.to)] });
          break;
        default:
          pendingEntries.push({ operation: index, directories: [dirname(operation.path)] });
      }
    }
    return [
      ...[...bytes.values()].map((operations) => ({ operations, isBytes: true, directory: '' })),
      ...pendingEntries.map(({ operation, directories }) => ({
        operations: [operation],
        isBytes: false,
        directory: directories[0] ?? '',
      })),
    ].sort((one, other) => (one.operations[0] ?? 0) - (other.operations[0] ?? 0));
  }

  /** Replays the operations except the lost ones. If a directory does not exist, neither do its contents. */
  #build(after: number, kept: ReadonlyMap<number, Kept>): State {
    const files: Files = new Map();
    const names = new Map<string, { kind: 'file'; inode: number } | Exclude<Entry, { readonly kind: 'file' }>>();
    for (const [path, entry] of this.before) {
      if (entry.kind === 'file') files.set(entry.inode, { bytes: entry.bytes, version: 0 });
      names.set(path, entry.kind === 'file' ? { kind: 'file', inode: entry.inode } : entry);
    }
    for (const [index, operation] of this.operations.slice(0, after).entries()) {
      const keep = kept.get(index) ?? 'all';
      // An inode whose name was lost still exists: a later rename may give it a durable name.
      if (operation.type === 'create') files.set(operation.inode, { bytes: Buffer.alloc(0), version: 0 });
      if (keep === 'nothing') continue;
      switch (operation.type) {
        case 'create':
          names.set(operation.path, { kind: 'file', inode: operation.inode });
          break;
        case 'write': {
          const { bytes } = operation;
          const half = bytes.subarray(0, bytes.length >> 1);
          change(files, operation.inode, (old) => {
            return overwritten(
              old,
              operation.offset,
              keep === 'half' ? half : keep === 'zeros' ? Buffer.alloc(bytes.length) : bytes,
            );
          });
          break;
        }
        case 'size':
          change(files, operation.inode, (old) => resized(old, operation.size));
          break;
        case 'rename':
          moveNames(names, operation.path, operation.to, this.#entryMoved(index));
          break;
        case 'remove':
          names.delete(operation.path);
          break;
        case 'directory':
          names.set(operation.path, { kind: 'directory' });
          break;
        case 'link':
          names.set(operation.path, { kind: 'link', target: operation.target });
          break;
        default:
      }
    }
    const state = new Map<string, StateFile | Exclude<Entry, { readonly kind: 'file' }>>();
    for (const path of [...names.keys()].sort()) {
      const entry = names.get(path);
      const hasPlace = this.roots.includes(path) || state.get(dirname(path))?.kind === 'directory';
      if (!entry || !hasPlace) continue;
      const file = entry.kind === 'file' ? files.get(entry.inode) : undefined;
      if (entry.kind !== 'file') state.set(path, entry);
      else if (file) state.set(path, { kind: 'file', inode: entry.inode, ...file });
    }
    return state;
  }

  /** The recorded directory that contains a path; empty for none. */
  #rootOf(path: string): string {
    return this.roots.find((root) => path === root || path.startsWith(`${root}/`)) ?? '';
  }

  #pathsOf(inode: number): string[] {
    const made = this.operations.flatMap((operation) =>
      operation.type === 'create' && operation.inode === inode ? [operation.path] : [],
    );
    const found = [...this.before].flatMap(([path, entry]) => {
      return entry.kind === 'file' && entry.inode === inode ? [path] : [];
    });
    return [...made, ...found];
  }

  /** The inode that a rename moves, whatever happened to the creation of its old name. */
  #entryMoved(index: number): number | undefined {
    const operation = this.operations[index];
    if (operation?.type !== 'rename') return undefined;
    let path = operation.path;
    for (let at = index - 1; at >= 0; at -= 1) {
      const earlier = this.operations[at];
      if (earlier?.type === 'create' && earlier.path === path) return earlier.inode;
      if (earlier?.type === 'rename' && earlier.to === path) path = earlier.path;
    }
    const entry = this.before.get(path);
    return entry?.kind === 'file' ? entry.inode : undefined;
  }
}

type Names = Map<string, { kind: 'file'; inode: number } | Exclude<Entry, { readonly kind: 'file' }>>;

function moveNames(names: Names, from: string, to: string, inode: number | undefined): void {
  const entry = inode === undefined ? names.get(from) : ({ kind: 'file', inode } as const);
  const isAtPlace = names.get(from);
  // A name that a later file has taken is not removed with this one.
  if (isAtPlace?.kind !== 'file' || inode === undefined || isAtPlace.inode === inode) names.delete(from);
  if (entry) names.set(to, entry);
}

/** `own`: no other state has this buffer. */
type Files = Map<number, { bytes: Buffer; version: number; own?: boolean }>;

function change(files: Files, inode: number, of: (old: Buffer) => Buffer): void {
  const { bytes, version, own = false } = files.get(inode) ?? { bytes: Buffer.alloc(0), version: 0 };
  files.set(inode, { bytes: of(own ? bytes : Buffer.from(bytes)), version: version + 1, own: true });
}

function overwritten(old: Buffer, offset: number, bytes: Buffer): Buffer {
  const end = offset + bytes.length;
  const changed = end > old.length ? resized(old, end) : old;
  bytes.copy(changed, offset);
  return changed;
}

function resized(old: Buffer, size: number): Buffer {
  const changed = Buffer.alloc(size);
  old.copy(changed);
  return changed;
}

/** Up to this many changes, all combinations are tried. */
const fewUnits = 4;

/** Number of random combinations if there are more. */
const combinations = 8;

function* choices(units: readonly Unit[], random: () => number): Generator<[string, Kept[]]> {
  const ways = (unit: Unit): readonly Kept[] =>
    unit.isBytes ? ['all', 'nothing', 'half', 'zeros'] : ['all', 'nothing'];
  const all = (kept: Kept): Kept[] => units.map((unit) => (unit.isBytes || kept !== 'half' ? kept : 'all'));
  const but = (index: number, kept: Kept, others: Kept): Kept[] => units.map((_, at) => (at === index ? kept : others));
  yield ['everything is there', all('all')];
  if (units.length === 0) return;
  yield ['nothing that was not synced is there', all('nothing')];
  if (units.length <= fewUnits) {
    yield* combined(units, ways);
    return;
  }
  yield ['the names are there and no bytes', units.map(({ isBytes }) => (isBytes ? 'nothing' : 'all'))];
  yield ['the names are there and half of the bytes', units.map(({ isBytes }) => (isBytes ? 'half' : 'all'))];
  for (const [index, unit] of units.entries()) {
    const [first = 0] = unit.operations;
    yield [`only operation ${first} is there`, but(index, 'all', 'nothing')];
    for (const kept of ways(unit)) if (kept !== 'all') yield [`of operation ${first} ${kept}`, but(index, kept, 'all')];
    yield [`nothing from operation ${first} on`, units.map((_, at) => (at < index ? 'all' : 'nothing'))];
  }
  for (const directory of new Set(units.map((unit) => unit.directory))) {
    if (directory === '') continue;
    yield [`nothing in ${directory}`, units.map((unit) => (unit.directory === directory ? 'nothing' : 'all'))];
    yield [`only in ${directory}`, units.map((unit) => (unit.directory === directory ? 'all' : 'nothing'))];
  }
  for (let number = 0; number < combinations; number += 1) {
    const chosen = units.map((unit) => ways(unit)[Math.floor(random() * ways(unit).length)] ?? 'all');
    yield [`combination ${number}`, chosen];
  }
}

function* combined(units: readonly Unit[], ways: (unit: Unit) => readonly Kept[]): Generator<[string, Kept[]]> {
  let choices: Kept[][] = [[]];
  for (const unit of units) choices = choices.flatMap((choice) => ways(unit).map((kept) => [...choice, kept]));
  for (const choice of choices) yield [`of the last ${units.length} changes: ${choice.join(', ')}`, choice];
}

/** Distinguishes states. */
export function fingerprint(state: State): string {
  const hash = createHash('sha256');
  for (const [path, entry] of state) {
    hash.update(`${path}\0${entry.kind}\0`);
    if (entry.kind === 'link') hash.update(entry.target);
    if (entry.kind === 'file')
      hash.update(`${entry.inode} ${entry.version} ${entry.bytes.length}\0`).update(entry.bytes);
  }
  return hash.digest('hex');
}
