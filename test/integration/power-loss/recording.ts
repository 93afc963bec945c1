import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RunningProcess, repository, type Ended } from '../command-line';

/**
 * An operation that changed something, or made changes durable. Files are identified by their inodes, because names change; each
 * new file gets a number of its own, because the system reuses the inodes of removed files.
 */
export type Operation =
  | { readonly type: 'create'; readonly path: string; readonly inode: number; readonly inodeOfSystem: number }
  | { readonly type: 'write'; readonly inode: number; readonly offset: number; readonly bytes: Buffer }
  | { readonly type: 'size'; readonly inode: number; readonly size: number }
  | { readonly type: 'rename'; readonly path: string; readonly to: string }
  | { readonly type: 'remove'; readonly path: string }
  | { readonly type: 'directory'; readonly path: string }
  | { readonly type: 'link'; readonly path: string; readonly target: string }
  | { readonly type: 'sync'; readonly inode: number }
  | { readonly type: 'sync-directory'; readonly path: string }
  | { readonly type: 'sync-file-system'; readonly path: string };

/** What is at a path. */
export type Entry =
  | { readonly kind: 'directory' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'file'; readonly inode: number; readonly bytes: Buffer; readonly modifiedNs: bigint };

/** Everything in some directories, including these, by absolute path; each after its directory. */
export type Tree = ReadonlyMap<string, Entry>;

export function readTree(roots: readonly string[]): Tree {
  const tree = new Map<string, Entry>();
  const visit = (path: string): void => {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (found?.isFile()) {
      const { ino, mtimeNs } = found;
      tree.set(path, { kind: 'file', inode: Number(ino), bytes: readFileSync(path), modifiedNs: mtimeNs });
    } else if (found?.isSymbolicLink()) tree.set(path, { kind: 'link', target: readlinkSync(path) });
    else if (found?.isDirectory()) {
      tree.set(path, { kind: 'directory' });
      for (const name of readdirSync(path).sort()) visit(join(path, name));
    }
  };
  roots.forEach(visit);
  return tree;
}

/** Builds the library that records. */
export function buildRecorder(file: string): void {
  const source = join(repository, 'test/integration/power-loss/recorder.c');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', file, source, '-ldl']);
}

export interface Recorder {
  readonly library: string;
  /** Operations below it are recorded. */
  readonly root: string;
  /** File for the record; not below {@link root}. */
  readonly file: string;
}

/** Runs a program of Node.js to its end, recorded. */
export function runRecorded(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { library, root, file }: Recorder,
): Promise<Ended> {
  return new RunningProcess(process.execPath, args, {
    env: { ...env, LD_PRELOAD: library, RECORD_ROOT: root, RECORD_FILE: file },
    isWatchedHere: true,
  }).ended;
}

/** Greater than any inode number of the system. */
const firstOwnInode = 2 ** 48;

/** The operations of a record that concern some directories: their contents and their own entries. */
export function readRecord(file: string, roots: readonly string[]): Operation[] {
  const record = readFileSync(file);
  const operations: Operation[] = [];
  const current = new Map<number, number>();
  const concerns = (path: string): boolean =>
    roots.some((root) => path === root || path.startsWith(`${root}/`) || path === dirname(root));
  for (let at = 0; at < record.length;) {
    const end = record.indexOf('\n', at);
    const [type = '', path = '', other = '', inode, offset, length] = record.toString('utf8', at, end).split('\t');
    const bytes = record.subarray(end + 1, end + 1 + Number(length));
    at = end + 1 + Number(length);
    if (!concerns(path)) continue;
    const inodeOfSystem = Number(inode);
    if (type === 'create') current.set(inodeOfSystem, firstOwnInode + operations.length);
    const known = current.get(inodeOfSystem) ?? inodeOfSystem;
    operations.push(operationOf(type, { path, other, bytes, inode: known, inodeOfSystem }, Number(offset)));
  }
  return operations;
}

interface Fields {
  readonly path: string;
  readonly other: string;
  readonly inode: number;
  readonly inodeOfSystem: number;
  readonly bytes: Buffer;
}

function operationOf(type: string, { path, other, inode, inodeOfSystem, bytes }: Fields, offset: number): Operation {
  switch (type) {
    case 'create':
      return { type, path, inode, inodeOfSystem };
    case 'write':
      return { type, inode, offset, bytes };
    case 'size':
      return { type, inode, size: offset };
    case 'rename':
      return { type, path, to: other };
    case 'remove':
    case 'directory':
    case 'sync-directory':
    case 'sync-file-system':
      return { type, path };
    case 'link':
      return { type, path, target: other };
    case 'sync':
      return { type, inode };
    default:
      throw new Error(`the record has an unknown operation: ${type}`);
  }
}
