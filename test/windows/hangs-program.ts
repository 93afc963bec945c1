// Does one task with short time limits while a call of VSS hangs, and ends by itself.
//
//   node hangs-program.js <delta directory> <task>

import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { loadBinding } from '#lib/native/binding';
import {
  beginBackup,
  breakSnapshotSet,
  deleteShadows,
  exposeShadow,
  isDominoVssError,
  listProviders,
  listShadows,
  listWriters,
  unexposeShadow,
  type BeginBackupOptions,
} from '#lib/index';
import { VssTarget } from '#lib/script/vss-target';
import { answer } from './lines';

const [deltaDirectory = '', task = ''] = process.argv.slice(2);
/** For the call that hangs; a later one gets ten seconds more. A busy machine needs some of it for the calls before. */
const timeoutMs = 5_000;
/** For a backup that is only made so that there is a shadow. */
const preparationMs = 60_000;

async function backUp(options: Partial<BeginBackupOptions>, keep = false): Promise<string> {
  const { timeoutMs: limitMs = timeoutMs } = options;
  const backup = await beginBackup({
    source: 'volumes',
    volumes: ['C:'],
    provider: 'vss',
    deltaDirectory,
    timeoutMs: limitMs,
    ...options,
  });
  try {
    const { shadows } = await backup.createShadow({ timeoutMs: limitMs });
    const { problems, warnings } = await backup.endBackup({ keep, timeoutMs: limitMs });
    if (problems[0]) throw problems[0];
    const late = warnings.find(({ message }) => message.includes('has not returned'));
    if (late) throw new Error(late.message);
    return shadows[0]?.id ?? '';
  } finally {
    await backup.dispose();
  }
}

const persistent = (): Promise<string> => backUp({ lifetime: 'persistent', timeoutMs: preparationMs }, true);

async function restore(): Promise<void> {
  const target = await VssTarget.open({
    loadBinding,
    workingDirectory: deltaDirectory,
    domino: undefined,
    stateDirectory: deltaDirectory,
    signal: AbortSignal.timeout(timeoutMs),
  });
  const components = readFileSync(join(deltaDirectory, 'components.xml'), 'utf8');
  const begun = await target.beginRestore({ manifest: '', components });
  try {
    await begun.preRestore();
    await begun.postRestore('all');
  } finally {
    await begun.close();
  }
}

const tasks: Record<string, () => Promise<unknown>> = {
  backup: () => backUp({ writers: 'all', vss: { componentMode: true } }),
  persistent: () => backUp({ lifetime: 'persistent' }),
  list: () => listShadows({ timeoutMs }),
  providers: () => listProviders({ timeoutMs }),
  writers: () => listWriters({ status: true, timeoutMs }),
  delete: async () => deleteShadows({ by: 'id', id: await persistent(), deltaDirectory, timeoutMs }),
  expose: async () => exposeShadow({ id: await persistent(), as: 'Q:', timeoutMs }),
  unexpose: async () => {
    const id = await persistent();
    await exposeShadow({ id, as: 'B:', timeoutMs: preparationMs });
    await unexposeShadow({ by: 'id', id, timeoutMs });
  },
  break: async () => {
    await persistent();
    const [shadow] = await listShadows({ timeoutMs: preparationMs });
    await breakSnapshotSet({ setId: shadow?.setId ?? '', timeoutMs });
  },
  restore,
};

async function main(): Promise<void> {
  const startedAt = performance.now();
  const outcome = await tasks[task]?.().then(
    () => 'nothing has failed',
    (error: unknown) => (isDominoVssError(error) ? error.toJSON() : { message: String(error) }),
  );
  answer({ outcome, ms: performance.now() - startedAt });
}

void main();
