// Does tasks of the test with a service of Windows; each line is a JSON document with the name of a task.
//
//   node stop-mode-program.js <name of the service>

import { beginBackup, isDominoVssError, windowsService } from '#lib/index';
import { answer, requests } from './lines';

/** What a program is told to do. */
export type ServiceOrder =
  | { readonly task: 'isRunning' | 'start' }
  | { readonly task: 'stop'; readonly timeoutMs: number }
  | {
      readonly task: 'backup';
      readonly notesIni: string;
      readonly deltaDirectory: string;
      readonly to: string;
      readonly timeoutMs: number;
      /** Aborts the backup this long after its beginning. */
      readonly abortAfterMs?: number;
    };

/** The outcome of a task: the result, or the error as JSON. */
export type ServiceOutcome =
  { readonly result: unknown; readonly tookMs: number } | { readonly error: Readonly<Record<string, unknown>> };

const service = windowsService(process.argv[2] ?? '');

async function follow(order: ServiceOrder): Promise<unknown> {
  switch (order.task) {
    case 'isRunning':
      return service.isRunning();
    case 'start':
      return service.start();
    case 'stop':
      return service.stop({ signal: AbortSignal.timeout(order.timeoutMs) });
    case 'backup':
      return backUp(order);
  }
}

async function backUp(order: ServiceOrder & { readonly task: 'backup' }): Promise<unknown> {
  const { notesIni, deltaDirectory, to, timeoutMs, abortAfterMs } = order;
  const signal = abortAfterMs === undefined ? undefined : AbortSignal.timeout(abortAfterMs);
  const mode = { type: 'stop-service', service } as const;
  const backup = await beginBackup({ domino: { notesIni }, deltaDirectory, mode, provider: 'vss', writers: 'all' });
  try {
    const set = await backup.createShadow({ timeoutMs, signal });
    await set.copyDatabases({ to });
    const { outcome, counts, vss } = await backup.endBackup();
    const excluded = vss?.writers.filter((writer) => writer.excluded !== '').map(({ excluded: why }) => why);
    return { outcome, captured: counts.captured, excluded };
  } finally {
    await backup.dispose();
  }
}

async function main(): Promise<void> {
  for await (const line of requests()) {
    const begun = performance.now();
    const outcome: ServiceOutcome = await follow(JSON.parse(line) as ServiceOrder).then(
      (result) => ({ result, tookMs: performance.now() - begun }),
      (error: unknown) => ({ error: isDominoVssError(error) ? error.toJSON() : { message: String(error) } }),
    );
    answer(outcome);
  }
}

void main();
