// Does the tasks of the test one after the other in one process: each line is a JSON document with the name of a task.
//
//   node requester-program.js <delta directory>

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBinding } from '#lib/native/binding';
import {
  beginBackup,
  breakSnapshotSet,
  deleteShadows,
  exposeShadow,
  importShadows,
  isDominoVssError,
  isVolumeSupported,
  listProviders,
  listShadows,
  listWriters,
  revertToShadow,
  unexposeShadow,
  type Backup,
  type BeginBackupOptions,
  type Warning,
} from '#lib/index';
import { VssTarget } from '#lib/script/vss-target';
import { answer, requests } from './lines';

/** Options of a task in addition to those of `beginBackup`. */
interface TaskOptions {
  readonly afterMs?: number;
  readonly writable?: boolean;
}

const [deltaDirectory = ''] = process.argv.slice(2);

function begin(options: object): Promise<Backup> {
  return beginBackup({ source: 'volumes', volumes: ['C:'], provider: 'vss', deltaDirectory, ...options });
}

/** One complete backup of plain volumes; returns its warnings. */
async function backUp(
  options: object,
  keep: boolean,
  signal?: AbortSignal,
): Promise<{ warnings: readonly Warning[]; id: string }> {
  const backup = await begin({ ...options, signal });
  try {
    const { shadows } = await backup.createShadow({ signal });
    const { warnings } = await backup.endBackup({ keep, signal });
    return { warnings, id: shadows[0]?.id ?? '' };
  } finally {
    await backup.dispose();
  }
}

/** A persistent set of D: that stays, and the document for its import. */
async function keepSet(vss: BeginBackupOptions['vss']): Promise<{ setId: string; id: string; document: string }> {
  const backup = await begin({ volumes: ['D:'], lifetime: 'persistent', vss });
  try {
    const { vss: set, shadows } = await backup.createShadow();
    await backup.endBackup({ keep: true });
    return { setId: set?.setId ?? '', id: shadows[0]?.id ?? '', document: set?.componentsDocument ?? '' };
  } finally {
    await backup.dispose();
  }
}

const deleteAll = (): Promise<unknown> => deleteShadows({ by: 'all', foreign: 'delete' });

/** Does something that removes the shadows; if it fails, they are deleted. */
async function orDelete(body: () => Promise<unknown>): Promise<readonly never[]> {
  try {
    await body();
  } catch (error) {
    await deleteAll();
    throw error;
  }
  return [];
}

/** The Backup Components Document of a backup with all components of all writers. */
const documentFile = join(deltaDirectory, 'components.xml');

const tasks = {
  backup: async (options) => (await backUp(options, false)).warnings,
  /** A backup that is cancelled `afterMs` after its beginning, unless it is already over. */
  cancelled: ({ afterMs = 0, ...options }) => {
    const controller = new AbortController();
    const timer = setTimeout(() => {
      controller.abort(new Error('enough'));
    }, afterMs);
    return backUp(options, false, controller.signal).finally(() => {
      clearTimeout(timer);
    });
  },
  /** A backup that retries immediately. */
  retried: async (options) => {
    const backup = await begin(options);
    try {
      await backup.createShadow({ retries: { pauseMs: 20 } });
      return (await backup.endBackup()).warnings;
    } finally {
      await backup.dispose();
    }
  },
  /** A backup that nobody ends. */
  begun: async (options) => {
    await begin(options);
  },
  created: async (options) => {
    await (await begin(options)).createShadow();
  },
  /** The same, during the window. */
  creating: async (options) => {
    const backup = await begin(options);
    backup.createShadow().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 200));
  },
  exit: () => process.exit(0),
  throw: () => {
    setImmediate(() => {
      throw new Error('thrown on purpose');
    });
    return Promise.resolve();
  },
  list: () => listShadows({ deltaDirectory }),
  /** What a later process does with shadows that an earlier one has left: according to the journal they are ours. */
  deleteOwn: () => deleteShadows({ by: 'all', deltaDirectory, foreign: 'keep' }),
  providers: () => listProviders(),
  writers: () => listWriters({ status: true }),
  document: async () => {
    const backup = await begin({ writers: 'all', vss: { componentMode: true } });
    try {
      const { vss } = await backup.createShadow();
      await backup.endBackup();
      mkdirSync(deltaDirectory, { recursive: true });
      writeFileSync(documentFile, vss?.componentsDocument ?? '');
    } finally {
      await backup.dispose();
    }
    return [];
  },
  /** A restore with writers, as scripts do it. */
  restore: async () => {
    const options = {
      loadBinding,
      workingDirectory: deltaDirectory,
      domino: undefined,
      stateDirectory: deltaDirectory,
    };
    const target = await VssTarget.open(options);
    const restore = await target.beginRestore({ manifest: '', components: readFileSync(documentFile, 'utf8') });
    try {
      await restore.preRestore();
      await restore.postRestore('all');
    } finally {
      await restore.close();
    }
    return restore.writers;
  },
  break: async ({ writable }) => {
    const { setId } = await keepSet({});
    return orDelete(() => breakSnapshotSet({ setId, writable }));
  },
  import: async () => {
    const { document } = await keepSet({ attributes: ['transportable'] });
    try {
      const [shadow] = await importShadows({ document });
      if (!shadow || !existsSync(shadow.root)) throw new Error('nothing to see');
    } catch (error) {
      await importShadows({ document });
      throw error;
    } finally {
      await deleteAll();
    }
    return [];
  },
  revert: () =>
    orDelete(async () => {
      const { id } = await keepSet({});
      try {
        const { finished } = await revertToShadow({ id });
        if (!finished) throw new Error('the revert has not ended');
      } finally {
        // A revert that cannot be queried may be running.
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      await deleteAll();
    }),
  supported: () => isVolumeSupported({ volume: 'C:' }),
  /** The life of a persistent shadow after its backup. */
  shadow: async () => {
    const { id } = await backUp({ lifetime: 'persistent' }, true);
    try {
      await exposeShadow({ id, as: 'Q:' });
      await unexposeShadow({ by: 'id', id });
      await deleteShadows({ by: 'id', id, deltaDirectory });
    } catch (error) {
      await deleteShadows({ by: 'all', foreign: 'delete' });
      throw error;
    }
    return [];
  },
} satisfies Record<string, (options: TaskOptions) => Promise<unknown>>;

/** What a program is told to do. */
export interface Order {
  readonly task: keyof typeof tasks;
  /** Options of `beginBackup` beside the usual ones. */
  readonly options?: Partial<BeginBackupOptions> & TaskOptions;
}

/** The outcome of a task: the result, or the error as JSON. */
export type Outcome =
  { readonly result: unknown } | { readonly error: Readonly<Record<string, unknown>>; readonly isOurs: boolean };

async function main(): Promise<void> {
  for await (const line of requests()) {
    const { task, options = {} } = JSON.parse(line) as Order;
    const outcome: Outcome = await tasks[task](options).then(
      (result) => ({ result }),
      (error: unknown) => {
        if (isDominoVssError(error)) return { error: error.toJSON(), isOurs: true };
        return { error: { message: String(error) }, isOurs: false };
      },
    );
    answer(outcome);
  }
}

void main();
