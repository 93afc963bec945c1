// Does what the test says, one thing after the other in one process: each line is a JSON document with the name of a task.
//
//   node requester-program.js <delta directory>

import {
  beginBackup,
  deleteShadows,
  exposeShadow,
  isDominoVssError,
  isVolumeSupported,
  listProviders,
  listShadows,
  listWriters,
  unexposeShadow,
  type Backup,
  type BeginBackupOptions,
} from '#lib/index';
import { answer, requests } from './lines';

const [deltaDirectory = ''] = process.argv.slice(2);

function begin(options: object): Promise<Backup> {
  return beginBackup({ source: 'volumes', volumes: ['C:'], provider: 'vss', deltaDirectory, ...options });
}

/** One whole backup of plain volumes; answers its warnings. */
async function backUp(
  options: object,
  keep: boolean,
  signal?: AbortSignal,
): Promise<{ warnings: readonly string[]; id: string }> {
  const backup = await begin({ ...options, signal });
  try {
    const { shadows } = await backup.createShadow({ signal });
    const { warnings } = await backup.endBackup({ keep, signal });
    return { warnings, id: shadows[0]?.id ?? '' };
  } finally {
    await backup.dispose();
  }
}

const tasks = {
  backup: async (options) => (await backUp(options, false)).warnings,
  /** A backup that is cancelled `afterMs` after its begin, if it is not over by then. */
  cancelled: ({ afterMs = 0, ...options }) => {
    const controller = new AbortController();
    const timer = setTimeout(() => {
      controller.abort(new Error('enough'));
    }, afterMs);
    return backUp(options, false, controller.signal).finally(() => {
      clearTimeout(timer);
    });
  },
  /** A backup that nobody ends. */
  begun: async (options) => {
    await begin(options);
  },
  created: async (options) => {
    await (await begin(options)).createShadow();
  },
  /** The same, in the middle of it. */
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
  /** What a later process does with shadows that an earlier one has left: they are ours by the journal. */
  deleteOwn: () => deleteShadows({ by: 'all', deltaDirectory, foreign: 'keep' }),
  providers: () => listProviders(),
  writers: () => listWriters({ status: true }),
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
} satisfies Record<string, (options: { readonly afterMs?: number }) => Promise<unknown>>;

/** What a program is told to do. */
export interface Order {
  readonly task: keyof typeof tasks;
  /** Options of `beginBackup` beside the usual ones. */
  readonly options?: Partial<BeginBackupOptions> & { readonly afterMs?: number };
}

/** What has become of an order: the result, or the error in the form of its toJSON. */
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
