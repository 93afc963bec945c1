// A program that begins an isolated backup, creates its shadow, reports it and waits to be killed; in the main thread or in a
// worker. node isolation-program.js [worker] with the options of beginBackup as JSON in TEST_OPTIONS

import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { beginBackup, isDominoVssError, type BeginBackupOptions } from '#lib/index';

async function hold(): Promise<void> {
  const backup = await beginBackup(JSON.parse(process.env['TEST_OPTIONS'] ?? '') as BeginBackupOptions);
  const set = await backup.createShadow();
  const text = `holding ${set.databases}\n`;
  if (isMainThread) process.stdout.write(text);
  else parentPort?.postMessage(text);
  setInterval(() => undefined, 1_000);
}

if (process.argv[2] === 'worker' && isMainThread) {
  const worker = new Worker(__filename, { argv: ['worker'] });
  worker.on('message', (text: string) => {
    process.stdout.write(text);
    void worker.terminate().then(() => process.stdout.write('terminated\n'));
  });
} else {
  hold().catch((error: unknown) => {
    process.stdout.write(isDominoVssError(error) ? JSON.stringify(error) : String(error));
    process.exitCode = 1;
  });
}
