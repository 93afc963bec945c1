// A program that uses the package and then ends in one of many ways; the tests run it in a separate process or worker.
//
//   node program.js <state> <ending>        with the simulation in the environment

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type * as Package from '#lib/index';
import { beginBackup, isDominoVssError, type Backup, type BeginBackupOptions } from '#lib/index';

export type State = 'loaded' | 'begun' | 'creating' | 'created' | 'ended' | 'disposed';
export type Ending =
  | 'natural'
  | 'exit'
  | 'throw'
  | 'hang'
  /** Ends at SIGINT as programs usually do: with a listener that calls process.exit(). */
  | 'interrupt'
  | 'worker-end'
  | 'worker-terminate'
  | 'worker-exit'
  /** Four workers that back up one after the other, in one runtime. */
  | 'four-workers'
  /** The same, but all are terminated once one of them has begun. */
  | 'four-workers-terminate'
  /** Another copy of the package, at TEST_SECOND_COPY, tries to use Domino, too. */
  | 'second-copy';

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

function options(): BeginBackupOptions {
  return {
    domino: { programDirectory: setting('TEST_PROGRAM_DIRECTORY'), notesIni: setting('TEST_NOTES_INI') },
    deltaDirectory: setting('TEST_DELTA_DIRECTORY'),
    shadowDirectory: setting('TEST_SHADOW_DIRECTORY'),
    provider: 'rolling',
  };
}

async function reach(state: State): Promise<Backup | undefined> {
  const backup = await beginBackup(options());
  if (state === 'begun') return backup;
  if (state === 'creating') {
    // Not awaited: the end comes during the window.
    backup.createShadow().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 60));
    return backup;
  }
  await backup.createShadow();
  if (state === 'created') return backup;
  if (state === 'ended') await backup.endBackup();
  await backup.dispose();
  return undefined;
}

function report(text: string): void {
  if (parentPort) parentPort.postMessage(text);
  else process.stdout.write(`${text}\n`);
}

function keepAlive(): void {
  setInterval(() => undefined, 1000);
}

/** The other workers hold the data directory for a while. */
async function backUpInTurn(): Promise<void> {
  for (;;) {
    try {
      await using backup = await beginBackup(options());
      report('reached');
      await backup.createShadow();
      await backup.endBackup();
      report('backed up');
      return;
    } catch (error) {
      if (!isDominoVssError(error) || error.code !== 'ERR_LOCKED') throw error;
      await sleep(20);
    }
  }
}

async function tryInSecondCopy(): Promise<void> {
  const copy = createRequire(__filename)(setting('TEST_SECOND_COPY')) as typeof Package;
  try {
    await (await copy.beginBackup(options())).dispose();
    report('second copy: begun');
  } catch (error) {
    // The other copy has its own error classes.
    report(`second copy: ${isDominoVssError(error) ? error.code : String(error)}`);
  }
}

async function runInThread(state: State, ending: Ending): Promise<void> {
  if (ending.startsWith('four-workers')) {
    await backUpInTurn();
    return;
  }
  if (ending === 'interrupt') {
    process.once('SIGINT', () => process.exit(130));
    keepAlive();
  }
  if (state !== 'loaded') await reach(state);
  if (ending === 'second-copy') await tryInSecondCopy();
  report('reached');
  if (ending === 'exit' || ending === 'worker-exit') process.exit(0);
  if (ending === 'hang' || ending === 'worker-terminate') keepAlive();
  if (ending === 'throw') {
    setImmediate(() => {
      throw new Error('thrown on purpose');
    });
  }
}

async function runWithWorker(state: State, ending: Ending): Promise<void> {
  const worker = new Worker(__filename, { workerData: { state, ending } });
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('error', reject).on('exit', () => {
      resolve();
    });
  });
  await new Promise((resolve) => worker.once('message', resolve));
  if (ending === 'worker-terminate') await worker.terminate();
  await ended;
  report('worker ended');
}

async function runWithFourWorkers(state: State, ending: Ending): Promise<void> {
  const workers = Array.from({ length: 4 }, () => new Worker(__filename, { workerData: { state, ending } }));
  const exits = workers.map(
    (worker) =>
      new Promise<void>((resolve, reject) => {
        worker.on('error', reject).on('message', report).on('exit', resolve);
      }),
  );
  if (ending === 'four-workers-terminate') {
    await Promise.race(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  await Promise.all(exits);
  report('workers ended');
}

async function main(): Promise<void> {
  if (!isMainThread) {
    const { state, ending } = workerData as { state: State; ending: Ending };
    await runInThread(state, ending);
    return;
  }
  const [state, ending] = process.argv.slice(2) as [State, Ending];
  if (ending.startsWith('worker-')) await runWithWorker(state, ending);
  else if (ending.startsWith('four-workers')) await runWithFourWorkers(state, ending);
  else await runInThread(state, ending);
}

void main();
