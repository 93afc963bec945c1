import { linuxTest } from '../../platform';
import { PowerLossSweep, works } from './sweep';

const seed = Number(process.env['POWER_LOSS_SEED'] ?? 20261127);
const wantedStates = Number(
  process.env['POWER_LOSS_STATES'] ?? (process.env['DOMINO_VSS_TEST_TIER'] === 'full' ? 1000 : 40),
);

linuxTest(
  'whatever a power loss leaves, recover puts right, and nothing is called complete that is not',
  async () => {
    await using sweep = await PowerLossSweep.create();
    const violations: string[] = [];
    for (const work of works.filter((name) => new RegExp(process.env['POWER_LOSS_WORK'] ?? '').test(name))) {
      const startedAt = performance.now();
      const result = await sweep.sweep(work, seed, wantedStates);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      process.stdout.write(
        `${work}: ${result.operations} operations, ${result.states} of ${result.allowed} states, ${result.decided} for a person, ` +
          `${result.violations.length} violations, ${seconds} s (POWER_LOSS_SEED=${seed}, POWER_LOSS_STATES=${wantedStates})\n`,
      );
      for (const violation of result.violations) process.stdout.write(`${violation}\n`);
      violations.push(...result.violations);
    }
    expect(violations).toEqual([]);
  },
  3_600_000,
);
