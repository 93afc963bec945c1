import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { beginBackup, type BackupReport, type BeginBackupOptions, type ManifestDatabase } from '#lib/index';
import type { SimulatedDomino } from './simulated-domino';

/** The stand-in's broken link, as found on every old server. */
const danglingLink = 'links/dangling.nsf';

/** The result of one proven backup. */
export interface Proof {
  readonly report: BackupReport;
  /** Databases of which the shadow alone, without its change information, was torn. */
  readonly tornWithoutDelta: number;
}

/** The parts of a snapshot set that the proof needs, so that another process can have made it. */
export interface ProvableSet {
  readonly window: {
    readonly originNs: bigint;
    readonly databases: {
      readonly startCalledMs: ArrayLike<number>;
      readonly startReturnedMs: ArrayLike<number>;
    };
  };
  readonly shadows: readonly { readonly volume: string; readonly root: string }[];
  describeDatabases(): Iterable<ManifestDatabase>;
}

/**
 * Backs up everything while the workload writes, copies it from the shadow, and verifies each copy by the workload's own log: it
 * must contain every transaction that ended before this database's NSFBackupStart was called, and none that began after it had
 * returned.
 */
export async function proveBackup(
  domino: SimulatedDomino,
  server: Server,
  options: Partial<BeginBackupOptions> = {},
): Promise<Proof> {
  await server.resume();
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    exclude: [danglingLink],
    ...options,
  });
  try {
    const set = await backup.createShadow();
    expect(set.skipped).toEqual([]);
    const copies = await set.copyDatabases({ to: join(domino.home, 'copies', backup.id) });
    expect(copies.failures).toEqual([]);
    expect(copies.databases).toBe(domino.simulation.databases().length);
    await server.pause(); // the verifier reads the whole log each time; it need not grow in the meantime
    const tornWithoutDelta = await countTornShadows(domino, set);
    await expectStateAtStart(domino, set, copies.directory);
    const report = await backup.endBackup();
    expect(report.outcome).toBe('complete');
    return { report, tornWithoutDelta };
  } finally {
    await backup.dispose();
    await rm(join(domino.home, 'copies'), { recursive: true, force: true });
  }
}

/**
 * Verifies all databases together against the span of all starts and, because each verification reads the whole log, every tenth
 * one against the span of its own start: another tenth in each run.
 */
export async function expectStateAtStart(domino: SimulatedDomino, set: ProvableSet, directory: string): Promise<void> {
  const { originNs, databases } = set.window;
  const nanoseconds = (ms: number | undefined): bigint => originNs + BigInt(Math.round((ms ?? NaN) * 1e6));
  const lines = [...set.describeDatabases()];
  const expectBetween = async (chosen: typeof lines): Promise<void> => {
    const called = chosen.map(({ index }) => databases.startCalledMs[index] ?? NaN);
    const returned = chosen.map(({ index }) => databases.startReturnedMs[index] ?? NaN);
    const files = chosen.map(({ path }) => join(directory, path));
    const betweenNs = [nanoseconds(Math.min(...called)), nanoseconds(Math.max(...returned))] as const;
    const verdicts = await domino.simulation.verify(files, { betweenNs });
    expect(verdicts.filter(({ verdict }) => verdict !== 'consistent')).toEqual([]);
    expect(verdicts).toHaveLength(chosen.length);
  };
  await expectBetween(lines);
  const tenth = ++proofsMade % 10;
  for (const line of lines.filter(({ index }) => index % 10 === tenth)) await expectBetween([line]);
}

let proofsMade = 0;

/** How many databases are torn if they are taken from the shadows without their change information. */
export async function countTornShadows(domino: SimulatedDomino, set: ProvableSet): Promise<number> {
  const roots = new Map(set.shadows.map(({ volume, root }) => [volume, root]));
  const files = [...set.describeDatabases()].map(({ volume, shadowPath }) => join(roots.get(volume) ?? '', shadowPath));
  const verdicts = await domino.simulation.verify(files);
  expect(verdicts.filter(({ verdict }) => verdict === 'unreadable')).toEqual([]);
  return verdicts.filter(({ verdict }) => verdict === 'torn').length;
}

/** How often a proof is repeated; twenty times in the full tier, as in the release checklist. */
export const proofRuns = { quick: 1, ci: 3, full: 20 }[process.env['DOMINO_VSS_TEST_TIER'] ?? 'quick'] ?? 1;
