import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import {
  beginBackup,
  readManifest,
  restoreDatabases,
  verifyBackup,
  type BeginBackupOptions,
  type BackupReport,
  type CopyReport,
  type ManifestDatabase,
} from '#lib/index';
import type { SimulatedDomino } from './simulated-domino';

/** A backup whose shadow was made consistent in place. */
export interface AppliedShadow {
  readonly report: BackupReport;
  readonly databases: readonly ManifestDatabase[];
  /** File of each database in the shadow, parallel to {@link databases}. */
  readonly files: readonly string[];
}

/**
 * Backs up a busy server, applies the change information in the shadow, and verifies every database there by the workload's log
 * and, byte by byte, by its copy. Then restores a database with change information from the shadow alone.
 */
export async function proveAppliedShadow(
  domino: SimulatedDomino,
  server: Server,
  options: Partial<BeginBackupOptions> = {},
): Promise<AppliedShadow> {
  await server.resume();
  let { copies, report } = await backUp(domino, options);
  // On a busy machine the server may not have come to write in the window.
  for (let attempt = 2; report.counts.deltas === 0 && attempt <= 5; attempt += 1) {
    ({ copies, report } = await backUp(domino, options));
  }
  await server.pause();
  expect(report.outcome).toBe('complete');
  expect(report.counts.deltas).toBeGreaterThan(0);
  const databases: ManifestDatabase[] = [];
  for await (const database of (await readManifest(report.manifest)).databases()) databases.push(database);
  expect(databases.filter(({ appliedInShadow }) => appliedInShadow !== true)).toEqual([]);
  const files = databases.map(({ volume, shadowPath }) => {
    const root = report.volumes.find(({ path }) => path === volume)?.root ?? '';
    return join(root, ...shadowPath.split('/'));
  });
  for (const [index, { path, copy }] of databases.entries()) {
    const same = readFileSync(files[index] ?? '').equals(readFileSync(join(copies.directory, copy?.file ?? '')));
    expect([path, same]).toEqual([path, true]);
  }
  const verdicts = await domino.simulation.verify(files);
  expect(verdicts.filter(({ verdict }) => verdict !== 'consistent')).toEqual([]);
  const verified = await verifyBackup({ manifest: report.manifest });
  expect(verified.databases.filter(({ result }) => result !== 'verified')).toEqual([]);

  // The server always holds open the databases at the top.
  const others = databases.filter(({ path }) => /^(mail|apps)\//.test(path));
  // On a slow machine the server may have changed only those at the top.
  const changed = others.find(({ delta }) => delta !== '') ?? others[0];
  rmSync(copies.directory, { recursive: true });
  writeFileSync(changed?.file ?? '', 'destroyed');
  const restored = await restoreDatabases({
    domino: domino.location,
    manifest: report.manifest,
    databases: [changed?.path ?? ''],
  });
  expect(restored.steps.map(({ type }) => type)).not.toContain('apply-delta');
  const [again] = await domino.simulation.verify([changed?.file ?? '']);
  expect(again?.verdict).toBe('consistent');
  return { report, databases, files };
}

async function backUp(
  domino: SimulatedDomino,
  options: Partial<BeginBackupOptions>,
): Promise<{ readonly copies: CopyReport; readonly report: BackupReport }> {
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    lifetime: 'persistent',
    ...options,
  });
  const set = await backup.createShadow();
  const directory = mkdtempSync(join(domino.home, 'copies-'));
  const copies = await set.copyDatabases({ to: join(directory, 'copies') });
  return { copies, report: await backup.endBackup({ applyDeltas: true, hash: true }) };
}
