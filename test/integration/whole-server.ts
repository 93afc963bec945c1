// What every sweep requires of a server after each attempt: each text is a violation.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import type { SimulatedDomino } from './simulated-domino';

/** Databases that are missing, not whole according to the workload's log, or refused by the server. */
export async function unusableDatabases({ simulation }: SimulatedDomino, server: Server): Promise<string[]> {
  const files = simulation.databases().map((path) => join(simulation.dataDirectory, path));
  const missing = files.filter((file) => !existsSync(file));
  for (const path of simulation.databases()) {
    await server.run(path, 1).catch((error: unknown) => missing.push(`${path}: ${(error as Error).message}`));
  }
  await server.pause(); // the verifier reads the whole log
  const verdicts = await simulation.verify(files);
  await server.resume();
  const torn = verdicts.filter(({ verdict }) => verdict !== 'consistent');
  return [
    ...missing.map((file) => `missing or unusable: ${file}`),
    ...torn.map(({ file, verdict, problem = '' }) => `${verdict}: ${file} ${problem}`),
  ];
}

/** Databases that are in backup mode or offline. */
export async function heldDatabases({ simulation }: SimulatedDomino): Promise<string[]> {
  const { inBackup, offlineDatabases } = await simulation.stats();
  return [
    ...(inBackup.length > 0 ? [`${inBackup.length} databases are in backup mode`] : []),
    ...(offlineDatabases > 0 ? [`${offlineDatabases} databases are offline`] : []),
  ];
}
