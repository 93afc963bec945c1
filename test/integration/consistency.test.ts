// The proof on the file system of the temporary directory, whatever it is: databases under load are copied one after the other.

import type { Server } from 'domino-vss-simulator';
import { proofRuns, proveBackup } from './proof';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let server: Server;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 200, pages: [4, 300], links: true });
  server = await domino.serve({ threads: 3, secondProcess: true, transactionsPerSecond: 3000 });
});

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

test('every copy is the state at NSFBackupStart, with the workload running', async () => {
  let torn = 0;
  // Whether a copy catches a half-written transaction is random; on a busy machine the workload writes little.
  for (let run = 0; run < proofRuns || (torn === 0 && run < 20); ++run) {
    const { report, tornWithoutDelta } = await proveBackup(domino, server, { provider: 'rolling' });
    expect(report.provider.name).toBe('rolling');
    torn += tornWithoutDelta;
  }
  // Otherwise the deltas would have had no effect, and the test would prove nothing.
  expect(torn).toBeGreaterThan(0);
  await domino.expectQuiet();
}, 3_600_000);
