import { dirname, relative, sep } from 'node:path';
import { isInside } from '../store/safe-directory';
import { daosDirectory, transactionLogDirectory, type NotesIni } from '../domino/environment';
import type { BackupDatabases } from '../domino/databases';
import type { NativeWriterOptions } from '../native/writer';

/**
 * The directory trees with databases, which requesters can select, the data directory first. Links lead to databases elsewhere;
 * of nested directories only the upper one is named.
 */
export function findTrees(dataDirectory: string, files: readonly string[]): string[] {
  const outside = new Set(files.filter((file) => !isInside(file, dataDirectory)).map((file) => dirname(file)));
  const sorted = [...outside].sort((a, b) => a.length - b.length);
  const trees: string[] = [];
  for (const directory of sorted) {
    if (!trees.some((tree) => isInside(directory, tree))) trees.push(directory);
  }
  return [dataDirectory, ...trees.sort()];
}

/** Number of the tree of each database. A database in a tree that the writer has not named belongs to the data directory. */
export function treeNumbers(trees: readonly string[], { files }: Pick<BackupDatabases, 'files'>): Uint16Array {
  return Uint16Array.from(files, (file) => {
    const number = trees.findIndex((tree) => file.startsWith(tree + sep) || isInside(file, tree));
    return Math.max(0, number);
  });
}

/** What a restore may replace: not the transaction log, notes.ini or the ID files, which may be in the data directory too. */
const databasePatterns = ['nsf', 'ntf', 'box', 'nsg', 'nsh'].map((extension) => `*.${extension}`);

type Component = NativeWriterOptions['components'][number];

/** What a backup needs besides the databases. */
export interface Surroundings {
  /** Directory of the transaction log; empty if there is none. */
  readonly logDirectory: string;
  /** DAOS directory; empty without DAOS. */
  readonly daosDirectory: string;
}

/** The directories of the server with this notes.ini. */
export function findSurroundings(notesIni: NotesIni, dataDirectory: string): Surroundings {
  return {
    logDirectory: notesIni.get('TRANSLOG_Status') === '1' ? transactionLogDirectory(notesIni, dataDirectory) : '',
    daosDirectory: daosDirectory(notesIni, dataDirectory),
  };
}

/**
 * The trees come first, because the databases refer to them by number; then the transaction log and the attachments, so that a
 * backup by components contains what a restore needs. Names are unique within a writer and have no backslash.
 */
export function describeComponents(
  trees: readonly string[],
  { logDirectory, daosDirectory }: Surroundings,
): readonly Component[] {
  const components: Component[] = trees.map((directory, index) => ({
    logicalPath: '',
    name: index === 0 ? 'data' : `data-${index}`,
    caption: index === 0 ? `Domino databases in ${directory}` : `Domino databases linked to in ${directory}`,
    kind: 'databases',
    files: databasePatterns.map((pattern) => ({ directory: withoutEnd(directory), pattern, recursive: true })),
  }));
  if (logDirectory !== '') {
    components.push({
      logicalPath: '',
      name: 'transaction-log',
      caption: `Domino transaction log in ${logDirectory}`,
      kind: 'transactionLog',
      files: [{ directory: withoutEnd(logDirectory), pattern: '*.txn', recursive: false }],
    });
  }
  if (daosDirectory !== '') {
    components.push({
      logicalPath: '',
      name: 'daos',
      caption: `Attachments in ${daosDirectory}`,
      kind: 'attachments',
      files: [{ directory: withoutEnd(daosDirectory), pattern: '*.nlo', recursive: true }],
    });
  }
  return components;
}

function withoutEnd(directory: string): string {
  return relative(dirname(directory), directory) === '' ? directory : directory.replace(/[\\/]+$/, '');
}
