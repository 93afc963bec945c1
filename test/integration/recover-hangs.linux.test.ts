// Every call to Domino in a recovery hangs in turn, for ever. Its subject is reported with the call, and stays in the journal;
// once the call has returned, another recovery cleans it up.

import type { Server } from 'domino-vss-simulator';
import { recoverInterrupted, type RecoverOptions, type RecoveryReport } from '#lib/index';
import { locationFlags, run, until } from './command-line';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let server: Server;
let backup: string;
let crashed = 0;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 6, plainNames: true, unloggedShare: 0.4, pages: [4, 16] });
  server = await domino.serve({ threads: 1, transactionsPerSecond: 50 });
  const { code, stdout } = await run(backupArguments());
  expect(code).toBe(0);
  backup = (JSON.parse(stdout) as { directory: string }).directory;
}, 60_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

function backupArguments(): string[] {
  const places = ['--delta-dir', domino.deltaDirectory, '--shadow-dir', domino.shadowDirectory];
  return ['backup', 'run', ...places, '--keep', '--provider', 'rolling', ...locationFlags(domino), '--json'];
}

/** A process dies in one of its calls. */
async function dieIn(call: string, args: readonly string[]): Promise<void> {
  await domino.simulation.fault(`${call}=die`);
  const { code } = await run([...args]);
  expect(code).not.toBe(0);
  crashed += 1;
  await domino.simulation.clearFaults();
}

function recover(options: Partial<RecoverOptions> = {}): Promise<RecoveryReport> {
  return recoverInterrupted({ domino: domino.location, deltaDirectory: domino.deltaDirectory, ...options });
}

async function expectPutRight(): Promise<void> {
  await domino.simulation.clearFaults();
  await until('no thread is in a call', async () =>
    (await domino.simulation.stats()).openDatabases.every(({ handles }) => handles <= 1),
  );
  const { works } = await recover();
  expect(works.filter(({ done }) => !done)).toEqual([]);
  expect(await recover()).toMatchObject({ outcome: 'nothing' });
  expect((await domino.simulation.stats()).offlineDatabases).toBe(0);
  for (const path of domino.simulation.databases()) await server.run(path, 1);
  await domino.expectQuiet(crashed);
}

const afterRestore = ['NSFTakeDatabaseOffline', 'NSFBringDatabaseOnline'];
const afterBackup = ['NSFDbOpen', 'NSFBackupStart', 'NSFBackupEnd'];

async function interrupt(call: string): Promise<void> {
  if (afterRestore.includes(call)) {
    const common = ['--delta-dir', domino.deltaDirectory, ...locationFlags(domino)];
    await dieIn('NSFRecoverDatabases', ['restore', backup, '--online', ...common]);
  } else {
    await dieIn('NSFBackupStop:2', backupArguments());
  }
}

describe.each([...afterRestore, ...afterBackup])('%s hangs in a recovery', (call) => {
  test('its database is named with the call, and the next recovery puts it right', async () => {
    await interrupt(call);
    await domino.simulation.fault(`${call}:1=hang`);
    const report = await recover({ databaseBudgetMs: 300 });
    const left = report.works.flatMap(({ items }) => items).filter(({ result }) => result === 'left');
    expect({ outcome: report.outcome, left: JSON.stringify(left) }).toEqual({
      outcome: 'partial',
      left: expect.stringMatching(new RegExp(`${call}[^]*did not return within`)) as unknown,
    });
    await expectPutRight();
  }, 60_000);

  test('an abort ends the recovery', async () => {
    await interrupt(call);
    await domino.simulation.fault(`${call}:1=hang`);
    const controller = new AbortController();
    const ended = recover({ signal: controller.signal }).then(
      ({ outcome }) => outcome,
      (error: unknown) => (error as { code: string }).code,
    );
    await until('it hangs', async () => (await domino.simulation.stats()).faults.some(({ fired }) => fired > 0));
    const begun = performance.now();
    controller.abort();
    expect(['partial', 'ERR_ABORTED']).toContain(await ended);
    expect(performance.now() - begun).toBeLessThan(5_000);
    await expectPutRight();
  }, 60_000);
});
