import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DrillReport, VerifyReport } from '#lib/index';
import { linuxTest } from '../platform';
import { locationFlags, run } from './command-line';
import { SimulatedDomino } from './simulated-domino';

linuxTest(
  'a kept shadow of a busy server: verify opens every database, and a drill recovers the logged ones',
  async () => {
    await using domino = await SimulatedDomino.create({
      databases: 8,
      pages: [4, 16],
      unloggedShare: 0.4,
      plainNames: true,
    });
    const { deltaDirectory, shadowDirectory, simulation } = domino;
    const common = [...locationFlags(domino), '--delta-dir', deltaDirectory, '--json'];
    const server = await domino.serve({ threads: 2, transactionsPerSecond: 400 });
    // Each database stays in backup mode long enough for the server to write to it, even on the fastest machine.
    await simulation.set({ SIM_LATENCY_NSFBackupStop_US: 50_000 });
    const made = await run(['backup', 'run', ...common, '--keep', '--shadow-dir', shadowDirectory]);
    await simulation.set({ SIM_LATENCY_NSFBackupStop_US: null });
    expect(made.code).toBe(0);
    const { id, counts } = JSON.parse(made.stdout) as { id: string; counts: { deltas: number; logged: number } };
    expect(counts.deltas).toBeGreaterThan(0);

    const verified = await run(['backup', 'verify', id, ...common, '--apply']);
    expect([verified.code, verified.stderr]).toEqual([0, '']);
    const { databases } = JSON.parse(verified.stdout) as VerifyReport;
    expect(databases.map(({ applied }) => applied)).toEqual(databases.map(() => 'opened'));

    const drilled = await run(['drill', ...common, '--sample', '100']);
    expect([drilled.code, drilled.stderr]).toEqual([0, '']);
    const report = JSON.parse(drilled.stdout) as DrillReport;
    expect(report).toMatchObject({ backupId: id, outcome: 'passed' });
    expect(report.databases).toHaveLength(databases.length);
    expect(report.databases.filter(({ result }) => result === 'recovered')).toHaveLength(counts.logged);

    await server.stop();
    expect(readdirSync(simulation.dataDirectory).filter((name) => name.includes('domino-vss'))).toEqual([]);
    expect(readdirSync(join(deltaDirectory, '.journal'))).toEqual([]);
    const files = simulation.databases().map((path) => join(simulation.dataDirectory, path));
    for (const { file, verdict } of await simulation.verify(files))
      expect([file, verdict]).toEqual([file, 'consistent']);
    await domino.expectQuiet();
  },
  120_000,
);
