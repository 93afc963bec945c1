// The scripts of docs/recipes, called in each way: with an argument, by their name, around a command.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { listBackups, readManifest, restoreDatabases } from '#lib/index';
import { packageRoot } from '#lib/native/package-root';
import { linuxDescribe, memoryDirectory } from '../platform';
import { locationFlags, mainScript, plainEnvironment } from './command-line';
import { SimulatedDomino } from './simulated-domino';

const load = { threads: 2, transactionsPerSecond: 400 } as const;

linuxDescribe('recipes', () => {
  let domino: SimulatedDomino;
  let server: Server;
  let environment: Readonly<Record<string, string>>;

  beforeAll(async () => {
    domino = await SimulatedDomino.create({ databases: 12, plainNames: true }, memoryDirectory);
    server = await domino.serve(load);
    mkdirSync(join(domino.home, 'state'), { mode: 0o700 });
    const settings = {
      DOMINO_VSS: `${process.execPath} ${mainScript}`,
      DELTA_DIR: domino.deltaDirectory,
      HOLD_OPTIONS: locationFlags(domino).join(' '),
    };
    const file = join(domino.home, 'domino-vss.conf');
    writeFileSync(
      file,
      Object.entries(settings)
        .map(([name, value]) => `${name}="${value}"\n`)
        .join(''),
    );
    environment = {
      ...plainEnvironment,
      ProgramData: join(domino.home, 'state'),
      SIM_ALLOW_ROOT: '1',
      DOMINO_VSS_CONF: file,
    };
  }, 60_000);

  afterAll(async () => {
    await server.stop();
    await domino.expectQuiet();
    await domino[Symbol.asyncDispose]();
  });

  const recipe = (name: string): string => join(packageRoot, 'docs', 'recipes', name);

  function call(program: string, ...args: readonly string[]): Promise<number> {
    return new Promise((resolve) => {
      execFile(program, args, { env: environment }, (error) => {
        resolve(error ? (error.code as unknown as number) : 0);
      });
    });
  }

  async function isHeld(): Promise<boolean> {
    return (await domino.simulation.stats()).inBackup.length > 0;
  }

  const snapshot = (): string => join(domino.home, 'snapshot');
  function takeSnapshot(): void {
    cpSync(domino.simulation.dataDirectory, snapshot(), { recursive: true });
  }

  async function backupIds(): Promise<string[]> {
    return (await listBackups(domino.deltaDirectory)).map(({ id }) => id);
  }

  /** The last backup is restored from the snapshot and is consistent. */
  async function expectRestorable(): Promise<void> {
    const last = (await listBackups(domino.deltaDirectory)).sort((a, b) => a.id.localeCompare(b.id)).at(-1)!;
    const volume = (await readManifest(last.directory)).volumes[0]!.path;
    // The roots of snapshots are roots of volumes.
    const root = join(domino.home, 'volume');
    const below = domino.simulation.dataDirectory.slice(volume.length);
    mkdirSync(join(root, below, '..'), { recursive: true });
    cpSync(snapshot(), join(root, below), { recursive: true });
    await server.stop();
    const restored = await restoreDatabases({
      manifest: last.directory,
      domino: domino.location,
      mode: { type: 'offline' },
      shadowRoots: [{ volume, root }],
    });
    expect(restored.outcome).toBe('complete');
    const files = restored.databases.flatMap((database) => (database.result === 'restored' ? [database.file] : []));
    const verdicts = await domino.simulation.verify(files);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(files.map(() => 'consistent'));
    for (const directory of [snapshot(), root]) rmSync(directory, { recursive: true });
    server = await domino.serve(load);
  }

  test.each([
    ['an agent', 'snapshot-hook.sh', ['freeze'], 'snapshot-hook.sh', ['thaw']],
    ['VMware, by name', 'pre-freeze-script', [], 'post-thaw-script', []],
    ['Azure', 'pre.sh', ['any'], 'post.sh', ['any']],
  ] as const)('%s calls before and after its snapshot', async (_caller, before, beforeArgs, after, afterArgs) => {
    const directory = join(domino.home, 'hooks');
    mkdirSync(directory);
    for (const name of new Set([before, after])) symlinkSync(recipe('snapshot-hook.sh'), join(directory, name));
    expect(await call(join(directory, before), ...beforeArgs)).toBe(0);
    expect(await isHeld()).toBe(true);
    takeSnapshot();
    expect(await call(join(directory, after), ...afterArgs)).toBe(0);
    expect(await isHeld()).toBe(false);
    rmSync(directory, { recursive: true });
    await expectRestorable();
  });

  test('a snapshot that fails is no backup', async () => {
    const earlier = await backupIds();
    expect(await call(recipe('snapshot-hook.sh'), 'freeze')).toBe(0);
    expect(await isHeld()).toBe(true);
    expect(await call(recipe('snapshot-hook.sh'), 'freezeFail')).toBe(0);
    expect(await isHeld()).toBe(false);
    expect(await backupIds()).toEqual(earlier);
    // A thaw without a hold fails.
    expect(await call(recipe('snapshot-hook.sh'), 'thaw')).not.toBe(0);
  });

  test('an unknown call is refused', async () => {
    expect(await call(recipe('snapshot-hook.sh'))).toBe(2);
    expect(await isHeld()).toBe(false);
  });

  test('around a command that takes the snapshot', async () => {
    const { dataDirectory } = domino.simulation;
    expect(await call(recipe('around-snapshot.sh'), 'cp', '-r', dataDirectory, snapshot())).toBe(0);
    expect(await isHeld()).toBe(false);
    await expectRestorable();
  });

  test('around a command that fails: its exit code, and no backup', async () => {
    const earlier = await backupIds();
    expect(await call(recipe('around-snapshot.sh'), 'sh', '-c', 'exit 42')).toBe(42);
    expect(await isHeld()).toBe(false);
    expect(await backupIds()).toEqual(earlier);
  });
});
