// The proof with VSS: a server that works while it is backed up, with data on two volumes in one set. The contents of
// the shadows with the change information are the state at NSFBackupStart, according to the workload's own log.

import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { countTornShadows, expectStateAtStart, type ProvableSet } from '../integration/proof';
import { SimulatedDomino } from '../integration/simulated-domino';
import type { EndedBackup } from './consistency-program';
import { expectBacked } from './backed';
import { Machine } from './machine';

const machine = new Machine();
let domino: SimulatedDomino;
let server: Server;

beforeAll(async () => {
  const [home, secondVolume] = machine.homes;
  // This Domino initializes COM security, which must not affect the requester.
  const settings = { SIM_COM_SECURITY: 1 };
  domino = await SimulatedDomino.create({ databases: 200, pages: [4, 120], links: true, settings }, home);
  // Mail files are behind a directory link, on the other volume.
  const { dataDirectory } = domino.simulation;
  const other = join(secondVolume, 'mail');
  cpSync(join(dataDirectory, 'mail'), other, { recursive: true });
  rmSync(join(dataDirectory, 'mail'), { recursive: true });
  writeFileSync(join(dataDirectory, 'mail.dir'), `${other}\n`);
  server = await domino.serve({ threads: 3, secondProcess: true, transactionsPerSecond: 1000 });
}, 300_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
}, 300_000);

afterEach(() => server.resume());

const atEnd = { stopAt: 'end', settings: { 'latency.phase.Flush': 2000 } };
// Providers still hold the machine for a while; databases are out of backup mode long before that.
const atThaw = { stopAt: 'thaw', settings: { 'latency.phase.Flush': 2000, 'latency.phase.PostSnapshot': 5000 } };

// Why both are not run for every change: docs/limits.md, W39.
test.each(process.env['DOMINO_VSS_TEST_TIER'] === 'full' ? [atEnd, atThaw] : [atEnd])(
  'what was restored from the shadows is the state at NSFBackupStart, stopped at $stopAt',
  async (way) => {
    const { programDirectory, notesIni } = domino.simulation;
    const copies = join(domino.home, 'copies');
    const options = JSON.stringify({ vss: { stopAt: way.stopAt } });
    const args = [programDirectory, notesIni, machine.deltaDirectory, copies, options];
    const program = machine.start('consistency-program.js', args, way.settings);
    // On a machine of any speed, a transaction begins in backup mode and ends after the shadow is taken.
    const torn = domino.simulation.databases().find((path) => path.startsWith('mail/')) ?? '';
    let holds = false;
    const release = async (): Promise<void> => {
      if (holds) await server.release(torn);
      holds = false;
    };
    const backed = await expectBacked(program, async (phase) => {
      if (phase !== 'shadow') return release();
      await server.hold(torn, 1);
      holds = true;
    });
    await release();
    await server.pause(); // the verifier reads the whole log each time; it need not grow in the meantime

    if (way.stopAt === 'thaw') expect(backed.windowMs).toBeLessThan(7000);
    expect(backed.skipped).toEqual([]);
    expect(backed.copies.failures).toEqual([]);
    expect(backed.databases).toHaveLength(domino.simulation.databases().length);
    const onVolume = (letter: string): number =>
      backed.databases.filter(({ volume }) => volume.startsWith(letter)).length;
    expect({ c: onVolume('C:') > 10, d: onVolume('D:') > 100 }).toEqual({ c: true, d: true });
    expect(backed.shadows.map(({ volume }) => volume).sort()).toEqual(['C:\\', 'D:\\']);
    expect(new Set(backed.setIds).size).toBe(1);

    const set: ProvableSet = {
      window: { originNs: BigInt(backed.originNs), databases: backed },
      shadows: backed.shadows,
      describeDatabases: () => backed.databases,
    };
    // Without the change information some are torn; otherwise the change information would be unnecessary and the test would prove nothing.
    expect(await countTornShadows(domino, set)).toBeGreaterThan(0);
    await expectStateAtStart(domino, set, copies);

    // The same file, by drive letter and by device path, from a process that does not hold the shadow.
    expect(backed.exposedAs).toMatch(/^B:/i);
    const shadow = backed.shadows.find(({ volume }) => volume.startsWith('C:'));
    for (const { shadowPath } of backed.databases.filter(({ volume }) => volume.startsWith('C:'))) {
      const exposed = readFileSync(join('B:\\', shadowPath));
      expect(exposed.equals(readFileSync(`${shadow?.devicePath ?? ''}\\${shadowPath.replaceAll('/', '\\')}`))).toBe(
        true,
      );
    }

    const ended = (await program.ask('end')) as EndedBackup;
    expect(ended).toEqual({ outcome: 'complete', provider: 'vss', warnings: expect.anything(), left: [] });
    expect(ended.warnings.filter(({ code }) => code === 'WARN_COM_SECURITY')).toEqual([]);
    expect((await program.end()).code).toBe(0);
    expect(existsSync('B:\\')).toBe(false);
    expect(backed.shadows.filter(({ root }) => existsSync(root))).toEqual([]);
    expect(machine.shadows()).toEqual([]);
    machine.expectNoLeaks();
    await domino.expectQuiet();
    rmSync(copies, { recursive: true });
  },
  300_000,
);
