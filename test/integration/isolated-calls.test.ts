// Calls with one answer, each with Domino in a separate process: the reports are the same, and a crash of Domino is an error of
// the call.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  archiveLogs,
  beginBackup,
  drillRestore,
  ProcessError,
  recoverInterrupted,
  rehearse,
  runDoctor,
  verifyBackup,
  type Isolation,
  type Progress,
} from '#lib/index';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let manifest: string;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 6, plainNames: true, log: 'archive' });
  mkdirSync(domino.shadowDirectory, { recursive: true });
  await using backup = await beginBackup({ ...place(), shadowDirectory: domino.shadowDirectory, provider: 'rolling' });
  const set = await backup.createShadow();
  await set.copyDatabases({ to: join(domino.home, 'copies') });
  manifest = (await backup.endBackup({ keep: false })).manifest;
});

afterEach(async () => {
  await domino.simulation.clearFaults();
  await recoverInterrupted(place());
  // Only a restart of the server ends the backup mode that a dead process has left.
  await domino.simulation.restartServerState();
  const { accounting } = await domino.simulation.stats();
  await domino.expectQuiet(accounting.crashedParticipants);
});

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
});

function place(): { domino: SimulatedDomino['location']; deltaDirectory: string } {
  return { domino: domino.location, deltaDirectory: domino.deltaDirectory };
}

const calls: Readonly<Record<string, (isolation: Isolation) => Promise<unknown>>> = {
  rehearse: (isolation) =>
    rehearse({ ...place(), isolation }).then(({ databases, refused }) => ({ databases, refused })),
  verifyBackup: (isolation) => verifyBackup({ manifest, apply: true, domino: domino.location, isolation }),
  drillRestore: async (isolation) => {
    const report = await drillRestore({ manifest, domino: domino.location, sample: 6, isolation });
    // Random, and timed.
    return { ...report, databases: report.databases.length, recoveredTo: undefined, durationMs: undefined };
  },
  archiveLogs: async (isolation) => {
    const archiveDirectory = join(domino.home, `archive-${isolation}`);
    const { logId, warnings } = await archiveLogs({ archiveDirectory, domino: domino.location, isolation });
    return { logId, warnings };
  },
  runDoctor: async (isolation) => {
    const { outcome, checks } = await runDoctor({ ...place(), shadowDirectory: domino.shadowDirectory, isolation });
    // The separate process is started in the environment that Domino needs.
    const alike = checks.filter(({ name }) => name !== 'environment');
    return { outcome, checks: alike.map(({ name, status }) => `${name}: ${status}`) };
  },
};

test.each(Object.keys(calls))('%s answers what it answers in this process', async (name) => {
  const here = await calls[name]?.('none');
  expect(here).toBeDefined();
  expect(await calls[name]?.('process')).toEqual(here);
});

test.each([
  ['rehearse', 'NSFBackupStart:2=die'],
  ['verifyBackup', 'NSFDbOpen:1=die'],
  ['drillRestore', 'NSFRecoverDatabases:1=die'],
  ['archiveLogs', 'NSFBeginArchivingLogs:1=die'],
  ['runDoctor', 'NotesInitExtended:1=die'],
])('%s: Domino ends its process', async (call, fault) => {
  await domino.simulation.fault(fault);
  const error = await calls[call]?.('process').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProcessError);
  expect(error).toMatchObject({ code: 'ERR_PROCESS_ENDED', call, hung: false });
});

test('a wrong option, an abort and progress go through', async () => {
  await expect(rehearse({ ...place(), isolation: 'process', shards: 0 })).rejects.toMatchObject({ option: 'shards' });
  const wrong = { ...place(), isolation: 'proces' as never };
  for (const call of [rehearse, runDoctor]) await expect(call(wrong)).rejects.toMatchObject({ option: 'isolation' });
  const signal = AbortSignal.abort(new Error('enough'));
  const aborted = verifyBackup({ manifest, isolation: 'process', signal });
  await expect(aborted).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: { message: 'enough' } });
  const seen: Progress[] = [];
  await verifyBackup({ manifest, isolation: 'process', onProgress: (progress) => seen.push(progress) });
  expect(seen.at(-1)).toMatchObject({ done: 6, total: 6 });
});
