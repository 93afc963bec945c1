// Snapshots by a requester that knows nothing about Domino, with our writer in another process: how they are made, and the proof that
// they are backups.

import { copyFileSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import {
  readManifest,
  verifyBackup,
  type BackupReport,
  type ListedShadow,
  type Manifest,
  type ManifestDatabase,
} from '#lib/index';
import type { NativeBinding } from '#lib/native/session';
import { countTornShadows, expectStateAtStart } from '../integration/proof';
import type { SimulatedDomino } from '../integration/simulated-domino';
import { commandOn, type CommandEnded } from './command';
import type { Machine, Program, VssSettings } from './machine';

/** An event of the writer, as its program reports it. */
export interface Told {
  readonly type: string;
  readonly text?: string;
  readonly setId?: string;
  readonly report?: BackupReport;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Events up to the first of that type. */
export async function eventsUntil(program: Program, type: string): Promise<Told[]> {
  const told: Told[] = [];
  for (;;) {
    told.push((await program.expectNext()) as Told);
    if (told.at(-1)?.type === type) return told;
  }
}

/** A requester in a separate process: our command line, with a script that knows nothing about Domino. */
export async function requestSnapshot(
  machine: Machine,
  lines: readonly string[],
  settings: VssSettings = {},
): Promise<CommandEnded> {
  const file = join(machine.homes[1], 'snapshot.txt');
  writeFileSync(file, [...lines, ''].join('\r\n'));
  return commandOn(machine, settings)('script', file);
}

/** The lines of a script for a set of whole volumes, such as `c:`. */
export function wholeVolumes(machine: Machine, ...volumes: readonly string[]): readonly string[] {
  return [
    `set metadata ${machine.homes[1]}`,
    'set context persistent',
    'begin backup',
    ...volumes.map((volume) => `add volume ${volume} alias shadow-${volume.slice(0, 1)}`),
    'create',
    'end backup',
  ];
}

/**
 * A snapshot in which one database is torn, on a machine of any speed: a transaction on it begins in backup
 * mode and ends after the snapshot. Another writer that is slow in Freeze gives it time; if that is not enough, the
 * next attempt gives it more.
 */
export async function tearingSnapshot(
  machine: Machine,
  lines: readonly string[],
  torn: { readonly server: Server; readonly database: string; readonly writer: Program },
): Promise<{ readonly requester: CommandEnded; readonly told: Told[] }> {
  const { server, database, writer } = torn;
  for (let freezeMs = 500; ; freezeMs *= 4) {
    const requester = requestSnapshot(machine, lines, { 'writer.sql.latency.Freeze': freezeMs });
    const told = await eventsUntil(writer, 'held');
    await server.hold(database, 1);
    const hasBegunInTime = !writer.unread.some((event) => (event as Told).type === 'thawed');
    told.push(...(await eventsUntil(writer, 'thawed')));
    await server.release(database);
    told.push(...(await eventsUntil(writer, 'completed')));
    if (hasBegunInTime || freezeMs > 20_000) return { requester: await requester, told };
    await requester;
    expect((await requestSnapshot(machine, ['delete shadows all'])).code).toBe(0);
  }
}

/** Queries the program of a writer for the shadows of the machine. */
export async function shadowsOf(writer: Program): Promise<readonly ListedShadow[]> {
  writer.say('shadows');
  const [told] = (await eventsUntil(writer, 'shadows')).slice(-1);
  return (told as unknown as { shadows: ListedShadow[] }).shadows;
}

/** Where the shadows can be read, by the letter of their volume: Wine encodes it in the name of the volume. */
export function rootsOf(shadows: readonly ListedShadow[]): { readonly volume: string; readonly root: string }[] {
  return shadows.map(({ volume, root }) => {
    const [, code = ''] = /([0-9a-f]{2})}/i.exec(volume) ?? [];
    return { volume: `${String.fromCharCode(parseInt(code, 16))}:\\`, root };
  });
}

export async function databasesOf(manifest: Manifest): Promise<ManifestDatabase[]> {
  const databases: ManifestDatabase[] = [];
  for await (const database of manifest.databases()) databases.push(database);
  return databases;
}

/**
 * The contents of the shadows with the change information are the state at NSFBackupStart; without it something is torn. If the writer
 * has completed the databases there, nothing is torn, and each has the right size. `told`: the events of the writer up to its backup.
 */
export async function proveSnapshot(proof: {
  readonly binding: NativeBinding;
  readonly isCompleted?: boolean;
  readonly domino: SimulatedDomino;
  readonly told: readonly Told[];
  readonly shadows: readonly { readonly volume: string; readonly root: string }[];
  readonly copies: string;
}): Promise<readonly ManifestDatabase[]> {
  const { binding, isCompleted = false, domino, told, shadows, copies } = proof;
  const { report, setId } = told.at(-1)!;
  const manifest = await readManifest(report!.directory);
  expect(manifest.snapshotSetId).toBe(setId);
  const databases = await databasesOf(manifest);
  const window = told.find(({ type }) => type === 'window') as unknown as {
    originNs: string;
    startCalledMs: number[];
    startReturnedMs: number[];
  };
  const set = {
    window: { originNs: BigInt(window.originNs), databases: window },
    shadows,
    describeDatabases: () => databases,
  };
  const torn = await countTornShadows(domino, set);
  if (isCompleted) expect(torn).toBe(0);
  else expect(torn).toBeGreaterThan(0);
  expect(new Set(databases.map(({ appliedInShadow = false }) => appliedInShadow))).toEqual(new Set([isCompleted]));
  expect(manifest.counts.deltas).toBeGreaterThan(0);
  const roots = new Map(shadows.map(({ volume, root }) => [volume, root]));
  for (const database of databases) {
    const copyFile = join(copies, database.path);
    mkdirSync(dirname(copyFile), { recursive: true });
    copyFileSync(join(roots.get(database.volume) ?? '', database.shadowPath), copyFile);
    const { announcedBytes, delta, startSizeBytes } = database;
    if (isCompleted) {
      expect([database.path, statSync(copyFile).size]).toEqual([database.path, startSizeBytes]);
      continue;
    }
    truncateSync(copyFile, startSizeBytes);
    if (delta === '') continue;
    const deltaFile = join(report!.directory, delta);
    await binding.applyChangeInfo({ copyFile, deltaFile, announcedBytes, pieceBytes: manifest.pieceBytes });
  }
  await expectStateAtStart(domino, set, copies);
  expect(await verifyBackup({ manifest: report!.directory, shadowRoots: shadows })).toMatchObject({
    outcome: 'intact',
  });
  return databases;
}
