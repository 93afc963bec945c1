// One interrupt ends the command line while a call hangs for ever: in the loader, in the runtime, in a backup, in a restore. The
// deadline ends it too, with a different result.

import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { linuxTest } from '../platform';
import { locationFlags, run, start, until } from './command-line';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let server: Server;
let backup: string;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 6, plainNames: true, pages: [40, 60] });
  server = await domino.serve({ threads: 1, transactionsPerSecond: 20 });
  const { code, stdout } = await run([...backupArguments(), '--json']);
  expect(code).toBe(0);
  backup = (JSON.parse(stdout) as { directory: string }).directory;
}, 60_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

function backupArguments(): string[] {
  const places = ['--delta-dir', domino.deltaDirectory, '--shadow-dir', domino.shadowDirectory];
  return ['backup', 'run', ...places, '--keep', '--provider', 'rolling', ...locationFlags(domino)];
}

async function interruptWhileItHangs(args: string[], hangs: () => Promise<boolean>, env = {}): Promise<void> {
  const running = start(args, { env });
  await until('it hangs', hangs);
  const begun = performance.now();
  running.interrupt();
  const ended = await running.ended;
  expect({ ...ended, inTime: performance.now() - begun < 20_000 }).toMatchObject({ signal: null, inTime: true });
  // 3: databases that needed no recovery from the log were restored.
  expect([130, 1, 3]).toContain(ended.code);
}

async function hasFired(): Promise<boolean> {
  return (await domino.simulation.stats()).faults.some(({ fired }) => fired > 0);
}

linuxTest('an interrupt ends a process whose library hangs while it is loaded', async () => {
  let asked = 0;
  // A library that is not loaded cannot be asked; the process has had enough time to load it.
  const hangs = async (): Promise<boolean> => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    asked += 1;
    return asked > 5;
  };
  await interruptWhileItHangs(backupArguments(), hangs, { SIM_LOAD_HANGS: '1' });
});

describe.each([
  ['backup run', ['NotesInitExtended', 'NotesInitThread', 'NotesTermThread', 'NSFGetTransLogStyle', 'NSFBackupStop']],
  ['restore', ['NSFTakeDatabaseOffline', 'NSFRecoverDatabases']],
])('%s', (command, calls) => {
  linuxTest.each(calls)('an interrupt ends it while %s hangs', async (call) => {
    await domino.simulation.fault(`${call}:1+=hang`);
    const restoring = ['restore', backup, '--database-budget', '2', ...locationFlags(domino)];
    try {
      await interruptWhileItHangs(command === 'restore' ? restoring : backupArguments(), hasFired);
    } finally {
      await domino.simulation.clearFaults();
    }
    // Ends backup mode left by a hanging call; a restart would also bring databases online that a restore holds.
    if (command !== 'restore') await domino.simulation.restartServerState();
    expect(await run(['recover', '--delta-dir', domino.deltaDirectory, ...locationFlags(domino)])).toMatchObject({
      code: 0,
    });
  });
});

describe('while NotesInitExtended hangs, running out of time and an interrupt end differently:', () => {
  const inDelta = (): string[] => ['--delta-dir', domino.deltaDirectory];
  const commands: readonly (readonly [command: string, args: () => string[]])[] = [
    ['restore', () => ['restore', backup]],
    ['backup verify', () => ['backup', 'verify', backup, '--apply']],
    ['rehearse', () => ['rehearse', ...inDelta()]],
    ['drill', () => ['drill', ...inDelta()]],
    ['logs archive', () => ['logs', 'archive', '--log-archive', join(domino.home, 'archive')]],
    ['bench', () => ['bench', '--delta-dir', join(domino.home, 'bench'), '--runs', '1']],
    ['doctor', () => ['doctor']],
    ['hold', () => ['hold', ...inDelta()]],
  ];

  beforeAll(async () => {
    await domino.simulation.fault('NotesInitExtended:1+=hang');
  });

  afterAll(async () => {
    await domino.simulation.clearFaults();
  });

  linuxTest.each(commands)('%s', async (_command, args) => {
    const line = [...args(), '--json', ...locationFlags(domino)];
    const late = await run([...line, '--timeout', '3']);
    expect(JSON.parse(late.stdout)).toMatchObject({ error: { code: 'ERR_DEADLINE' } });
    expect(late).toMatchObject({ code: 1, signal: null });
    const before = (await domino.simulation.stats()).calls['NotesInitExtended'] ?? 0;
    const running = start([...line, '--timeout', '1h']);
    await until('it hangs', async () => ((await domino.simulation.stats()).calls['NotesInitExtended'] ?? 0) > before);
    running.interrupt();
    const ended = await running.ended;
    expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: 'ERR_ABORTED', cause: { message: 'SIGINT' } } });
    expect(ended).toMatchObject({ code: 130, signal: null });
  });
});
