import { dirname, relative, sep } from 'node:path';
import { isInside } from '../store/safe-directory';
import { daosDirectory, transactionLogDirectory, type NotesIni } from '../domino/environment';
import type { BackupDatabases } from '../domino/databases';
import type { NativeWriterOptions } from '../native/writer';

/**
 * The trees that the databases lie in, the data directory first: what requesters can choose. Links lead to databases
 * elsewhere; of directories in each other the upper one is named.
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

/** Number of the tree of each database. One in a tree that the writer has not named goes with the data directory. */
export function treeNumbers(trees: readonly string[], { files }: Pick<BackupDatabases, 'files'>): Uint16Array {
  return Uint16Array.from(files, (file) => {
    const number = trees.findIndex((tree) => file.startsWith(tree + sep) || isInside(file, tree));
    return Math.max(0, number);
  });
}

/** What a restore may replace: not the transaction log, notes.ini or the IDs, which may lie in the data directory too. */
const databasePatterns = ['nsf', 'ntf', 'box', 'nsg', 'nsh'].map((extension) => `*.${extension}`);

type Component = NativeWriterOptions['components'][number];

/** What a backup of databases needs beside them. */
export interface Surroundings {
  /** Of the transaction log; empty without one. */
  readonly logDirectory: string;
  /** Of the attachments that DAOS keeps; empty without DAOS. */
  readonly daosDirectory: string;
}

/** Those of the server whose notes.ini this is. */
export function findSurroundings(notesIni: NotesIni, dataDirectory: string): Surroundings {
  return {
    logDirectory: notesIni.get('TRANSLOG_Status') === '1' ? transactionLogDirectory(notesIni, dataDirectory) : '',
    daosDirectory: daosDirectory(notesIni, dataDirectory),
  };
}

/**
 * The trees first, for databases are numbered by them, then transaction log and attachments: whoever backs up by components gets
 * what a restore needs. Names are unique in a writer, and have no backslash.
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
