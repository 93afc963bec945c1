import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import type { Call } from '../call/call';
import { locateDatabase } from '../domino/links';
import type { Innards } from '../domino/timedate';
import type { ErrorCode } from '../errors/codes';
import { RestoreError } from '../errors/errors';
import { examineDelta } from '../store/contents';
import { readingCallsOf, patienceOf } from '../recover/tools';
import { databasesOf, loadManifest, type Manifest } from '../store/manifest';
import { FileCalls, type FilePatience } from '../store/stall';
import type { ManifestDatabase } from '../store/manifest-format';
import { isInside } from '../store/safe-directory';
import { readSigningKey } from '../store/signature';
import type { HandedOver } from './handed-over';
import { pointInTimeOf } from './until';

/** A component selected by the requester. */
export interface RequestedComponent {
  /** Its number in the event. */
  readonly number: number;
  readonly name: string;
  /** What the writer wrote into the document of the backup, in the form of {@link metadataForm}. */
  readonly metadata: string;
}

/** The form in which native code writes it into each component of a backup. */
const metadataForm = /^domino-vss 1 (\d{8}T\d{6}Z-[0-9a-f]{6}) (.+)$/;

/** What is restored for a requester. */
export interface RequesterPlan {
  readonly head: Manifest;
  readonly databases: readonly HandedOver[];
  readonly pointInTime: Innards | undefined;
}

/** Checks everything that can be checked before a database goes offline. */
export async function planForRequester(
  {
    deltaDirectory,
    signKey,
    databaseBudgetMs: budgetMs,
  }: {
    readonly deltaDirectory: string;
    readonly signKey?: string | undefined;
    /** Longest time for one call on a file. */
    readonly databaseBudgetMs: number;
  },
  dataDirectory: string,
  components: readonly RequestedComponent[],
  call: Call,
): Promise<RequesterPlan> {
  const refuse = (code: ErrorCode, message: string): never => {
    throw new RestoreError(code, { message, phase: 'restore' });
  };
  const trees = components.map(({ number, name, metadata }) => {
    const [, id = '', directory = ''] = metadataForm.exec(metadata) ?? [];
    if (id === '') {
      refuse(
        'ERR_RESTORE_SOURCE',
        `the document of the backup does not say which backup the component ${name} belongs to: use domino-vss restore`,
      );
    }
    return { number, id, directory };
  });
  const [id = ''] = new Set(trees.map((tree) => tree.id));
  if (trees.some((tree) => tree.id !== id)) {
    refuse('ERR_RESTORE_SOURCE', 'the components belong to different backups: restore one backup after the other');
  }
  const calls = readingCallsOf({ call, budgetMs });
  const key =
    signKey === undefined
      ? undefined
      : createPublicKey(await calls.wait('read', signKey, readSigningKey(signKey, 'signKey')));
  // Loaded by its id from our own directory, because the document comes from the requester.
  const directory = join(deltaDirectory, id);
  const head = await calls.wait('read', directory, loadManifest(directory, key));
  if (head.dataDirectory !== dataDirectory) {
    refuse(
      'ERR_RESTORE_TARGET',
      `the backup ${id} is of ${head.dataDirectory}, but this writer serves ${dataDirectory}`,
    );
  }
  const databases: HandedOver[] = [];
  for await (const database of databasesOf(head, calls)) {
    const tree = trees.find(({ directory }) => isInside(database.file, directory));
    if (tree === undefined) continue;
    // The writer makes only full backups, but the document comes from the requester.
    if (database.from !== undefined) {
      refuse(
        'ERR_RESTORE_SOURCE',
        `${database.path} is in the backup ${database.from}, not in ${id} itself: use domino-vss restore`,
      );
    }
    databases.push(
      await handOver(database, { component: tree.number, head, dataDirectory }, patienceOf({ call, budgetMs })),
    );
  }
  if (databases.length === 0) refuse('ERR_RESTORE_SOURCE', `the backup ${id} contains no database of these components`);
  return { head, databases, pointInTime: pointInTimeOf('backup', head) };
}

async function handOver(
  database: ManifestDatabase,
  {
    component,
    head,
    dataDirectory,
  }: { readonly component: number; readonly head: Manifest; readonly dataDirectory: string },
  patience: FilePatience,
): Promise<HandedOver> {
  patience.check();
  const locating = locateDatabase(dataDirectory, database.path);
  const file = await new FileCalls(patience).wait('realpath', database.file, locating);
  // The requester puts the file where it was at the backup.
  if (file !== database.file) {
    const message = `${database.path} was at ${database.file} and is now at ${file}: use domino-vss restore`;
    throw new RestoreError('ERR_RESTORE_TARGET', { message, phase: 'restore' });
  }
  const delta = database.delta === '' || database.appliedInShadow ? '' : join(head.directory, database.delta);
  if (delta !== '') {
    const wrong = await examineDelta(delta, database, patience);
    if (wrong !== undefined)
      throw new RestoreError('ERR_DELTA_DAMAGED', { message: `${delta} ${wrong}`, phase: 'restore' });
  }
  return { database, file, component, delta, offline: false, isDoubtful: false, before: '', changedBefore: '' };
}
