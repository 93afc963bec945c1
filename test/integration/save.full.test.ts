// A backup that another program saves, and the restore after everything is lost: with the real restic and borg of Debian.

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BackupReport, Manifest } from '#lib/index';
import { packageRoot } from '#lib/native/package-root';
import { linuxTest, memoryDirectory } from '../platform';
import { locationFlags, run } from './command-line';
import { SimulatedDomino } from './simulated-domino';

interface Tool {
  readonly name: string;
  /** Its settings for a repository. */
  readonly settings: (repository: string) => Readonly<Record<string, string>>;
  readonly init: readonly string[];
  readonly save: (id: string, directory: string) => readonly string[];
  /** Commands that restore both below the working directory. */
  readonly restore: (id: string, target: string) => readonly (readonly string[])[];
}

const restic: Tool = {
  name: 'restic',
  settings: (repository) => ({
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: 'x',
    RESTIC_CACHE_DIR: `${repository}-cache`,
  }),
  init: ['init', '--quiet'],
  save: (_id, directory) => ['backup', '--quiet', '--tag', 'change information', directory],
  restore: (id, target) => [
    ['restore', 'latest', '--quiet', '--tag', id, '--target', target],
    ['restore', 'latest', '--quiet', '--tag', 'change information', '--target', target],
  ],
};

const borg: Tool = {
  name: 'borg',
  settings: (repository) => ({
    BORG_REPO: repository,
    BORG_BASE_DIR: `${repository}-cache`,
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
  }),
  init: ['init', '--encryption=none'],
  save: (id, directory) => ['create', `::${id}-changes`, directory],
  restore: (id) => [
    ['extract', `::${id}`],
    ['extract', `::${id}-changes`],
  ],
};

linuxTest.each([restic, borg])(
  '$name saves a backup, and brings it back when server and backups are lost',
  async ({ name, settings, init, save, restore }) => {
    await using domino = await SimulatedDomino.create({ databases: 10, plainNames: true }, memoryDirectory);
    const { home, deltaDirectory, shadowDirectory, simulation } = domino;
    const env = { ...process.env, ...settings(join(home, 'repository')) };
    const target = join(home, 'target');
    mkdirSync(target);
    const call = (args: readonly string[]): string =>
      execFileSync(name, args, { env, cwd: target, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    call(init);
    // So that users write while databases are in backup mode.
    await simulation.set({ SIM_LATENCY_NSFBackupStart_US: 20_000, SIM_LATENCY_NSFBackupStop_US: 100_000 });
    const server = await domino.serve({ threads: 2, transactionsPerSecond: 400 });

    // A checkout may be writable by a group; programs in it would then be refused.
    const script = join(home, 'save.sh');
    copyFileSync(join(packageRoot, 'docs', 'recipes', `save-with-${name}.sh`), script);
    chmodSync(script, 0o700);
    const place = [...locationFlags(domino), '--delta-dir', deltaDirectory];
    const made = await run(
      ['backup', 'run', ...place, '--shadow-dir', shadowDirectory, '--shards', '1', '--exec', script, '--json'],
      {
        env,
      },
    );
    expect([made.code, made.stderr]).toEqual([0, '']);
    const { id, counts } = JSON.parse(made.stdout) as BackupReport;
    expect(counts.deltas).toBeGreaterThan(0); // without it, the saved files are torn
    call(save(id, join(deltaDirectory, id)));
    const { volumes } = JSON.parse(
      (await run(['backup', 'show', id, '--delta-dir', deltaDirectory, '--json'])).stdout,
    ) as Manifest;
    await server.stop();

    const databases = simulation.databases().map((path) => join(simulation.dataDirectory, path));
    for (const file of [...databases, deltaDirectory, shadowDirectory]) rmSync(file, { recursive: true });
    for (const args of restore(id, target)) call(args);

    const back = join(target, deltaDirectory, id);
    const root = join(target, volumes[0]!.root);
    const restored = await run([
      'restore',
      back,
      '**',
      ...locationFlags(domino),
      '--offline',
      '--shadow-root',
      root,
      '--json',
    ]);
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    const verdicts = await simulation.verify(databases);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(databases.map(() => 'consistent'));
    expect(readdirSync(simulation.dataDirectory).filter((entry) => entry.includes('domino-vss'))).toEqual([]);
    await domino.expectQuiet();
  },
  120_000,
);
