// A program that uses the package and then ends in one of many ways; run by the tests in a process or worker of its own.
//
//   node program.js <state> <ending>        with the simulation in the environment

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { beginBackup, type Backup } from '#lib/index';

export type State = 'loaded' | 'begun' | 'creating' | 'created' | 'ended' | 'disposed';
export type Ending = 'natural' | 'exit' | 'throw' | 'hang' | 'worker-end' | 'worker-terminate' | 'worker-exit';

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

async function reach(state: State): Promise<Backup | undefined> {
  const backup = await beginBackup({
    domino: { programDirectory: setting('TEST_PROGRAM_DIRECTORY'), notesIni: setting('TEST_NOTES_INI') },
    deltaDirectory: setting('TEST_DELTA_DIRECTORY'),
    shadowDirectory: setting('TEST_SHADOW_DIRECTORY'),
    provider: 'rolling',
  });
  if (state === 'begun') return backup;
  if (state === 'creating') {
    // Not awaited: the end comes in the middle of the window.
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

async function runInThread(state: State, ending: Ending): Promise<void> {
  if (state !== 'loaded') await reach(state);
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

async function main(): Promise<void> {
  if (!isMainThread) {
    const { state, ending } = workerData as { state: State; ending: Ending };
    await runInThread(state, ending);
    return;
  }
  const [state, ending] = process.argv.slice(2) as [State, Ending];
  await (ending.startsWith('worker-') ? runWithWorker(state, ending) : runInThread(state, ending));
}

void main();
