// Snapshots taken by another program: here a copy of all files while the databases are held, which would be torn without the
// change information.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { holdDatabases, listBackups, restoreDatabases, type BackupReport } from '#lib/index';
import { locationFlags, run, start, until, type Ended, type ProcessOptions } from './command-line';
import { SimulatedDomino } from './simulated-domino';
import { linuxDescribe, memoryDirectory } from '../platform';

const load = { threads: 2, transactionsPerSecond: 400 } as const;

linuxDescribe('hold and release', () => {
  let domino: SimulatedDomino;
  let server: Server;

  beforeAll(async () => {
    domino = await SimulatedDomino.create({ databases: 12, plainNames: true }, memoryDirectory);
    // So that the server writes to databases in backup mode on the fastest machine, too.
    await domino.simulation.set({ SIM_LATENCY_NSFBackupStop_US: 20_000 });
    server = await domino.serve(load);
    mkdirSync(join(domino.home, 'state'), { mode: 0o700 });
  });

  afterAll(async () => {
    await server.stop();
    await domino[Symbol.asyncDispose]();
  });

  /** Every holder has a state directory of this test. */
  const surroundings = (): ProcessOptions => ({
    cwd: domino.home,
    env: { ProgramData: join(domino.home, 'state'), SIM_ALLOW_ROOT: '1' },
  });
  const call = (...args: readonly string[]): Promise<Ended> => run(args, surroundings());
  const freeze = (...more: readonly string[]): Promise<Ended> =>
    call('hold', '--delta-dir', domino.deltaDirectory, ...locationFlags(domino), ...more);

  async function isHeld(): Promise<boolean> {
    return (await domino.simulation.stats()).inBackup.length > 0;
  }

  /** What a hypervisor would do with the whole disk. */
  function snapshot(): string {
    const root = join(domino.home, 'snapshot');
    cpSync(domino.simulation.dataDirectory, join(root, dataBelowVolume()), { recursive: true });
    return root;
  }

  /** Path of the data directory from the top of its volume, for the roots of snapshots are tops of volumes. */
  let volume = '';
  const dataBelowVolume = (): string => domino.simulation.dataDirectory.slice(volume.length);

  async function expectRestorable(report: Pick<BackupReport, 'directory'>, root: string): Promise<void> {
    await server.stop();
    const restored = await restoreDatabases({
      manifest: report.directory,
      domino: domino.location,
      mode: { type: 'offline' },
      shadowRoots: [{ volume, root }],
    });
    expect(restored.outcome).toBe('complete');
    const files = restored.databases.flatMap((database) => (database.result === 'restored' ? [database.file] : []));
    expect(files.length).toBeGreaterThan(8);
    const verdicts = await domino.simulation.verify(files);
    expect(verdicts.filter(({ verdict }) => verdict !== 'consistent')).toEqual([]);
    rmSync(root, { recursive: true });
    server = await domino.serve(load);
  }

  test('a snapshot taken between hold and release is restored', async () => {
    await using hold = await holdDatabases({ deltaDirectory: domino.deltaDirectory, domino: domino.location });
    volume = hold.volumes[0]?.path ?? '';
    expect((await domino.simulation.stats()).inBackup).toHaveLength(hold.databases);
    const root = snapshot();
    const report = await hold.release();
    expect(await isHeld()).toBe(false);
    expect(report).toMatchObject({ outcome: 'complete', provider: { name: 'external' } });
    expect(report.volumes).toMatchObject([{ kept: true, root: '' }]);
    expect(report.counts.deltas).toBeGreaterThan(0);
    await expect(
      restoreDatabases({ manifest: report.directory, domino: domino.location, dryRun: true }),
    ).resolves.toMatchObject({
      databases: expect.arrayContaining([
        expect.objectContaining({
          result: 'left-out',
          failure: expect.objectContaining({ text: expect.stringContaining('--shadow-root') as string }) as object,
        }),
      ]) as unknown[],
    });
    await expectRestorable(report, root);
    await domino.expectQuiet();
  });

  test('a wrong root of the snapshot releases nothing; the right one is verified', async () => {
    await using hold = await holdDatabases({ deltaDirectory: domino.deltaDirectory, domino: domino.location });
    volume = hold.volumes[0]?.path ?? '';
    const shadows = [{ volume, root: join(domino.home, 'nowhere') }];
    await expect(hold.release({ shadows })).rejects.toMatchObject({ code: 'ERR_OPTION', option: 'shadows' });
    await expect(hold.release({ shadows: [{ volume: '/other', root: domino.home }] })).rejects.toMatchObject({
      code: 'ERR_OPTION',
    });
    expect(await isHeld()).toBe(true);
    const report = await hold.release({ shadows: [{ volume, root: snapshot() }], hash: true });
    expect(report.contents).toMatchObject({ shadows: 'sha256' });
    rmSync(join(domino.home, 'snapshot'), { recursive: true });
  });

  test('a hold may be longer than a freeze window', async () => {
    await using hold = await holdDatabases({
      deltaDirectory: domino.deltaDirectory,
      domino: domino.location,
      maxHoldMs: 840_000,
    });
    expect(hold.deadline.getTime() - hold.heldAt.getTime()).toBe(840_000);
  });

  test('what a hold decides itself is no option of it', async () => {
    const options = { deltaDirectory: domino.deltaDirectory, domino: domino.location };
    for (const wrong of [{ provider: 'rolling' }, { windowTimeoutMs: 1000 }, { source: 'volumes' }]) {
      await expect(holdDatabases({ ...options, ...wrong })).rejects.toMatchObject({ code: 'ERR_OPTION' });
    }
  });

  test('what is released cannot be given up, and disposing of it meanwhile disturbs nothing', async () => {
    const hold = await holdDatabases({ deltaDirectory: domino.deltaDirectory, domino: domino.location });
    const released = hold.release();
    // The options are looked at first.
    await until('the release has begun', () => isHeld().then((held) => !held));
    const disposed = hold.dispose();
    await expect(hold.giveUp()).rejects.toMatchObject({ code: 'ERR_STATE' });
    expect(await released).toMatchObject({ outcome: 'complete' });
    await disposed;
    expect((await listBackups(domino.deltaDirectory)).map(({ id }) => id)).toContain(hold.id);
  });

  test('a hold that is over is no backup', async () => {
    const hold = await holdDatabases({
      deltaDirectory: domino.deltaDirectory,
      domino: domino.location,
      maxHoldMs: 300,
    });
    expect(await hold.lost).toMatchObject({ code: 'ERR_HOLD_EXPIRED' });
    expect(await isHeld()).toBe(false);
    await expect(hold.release()).rejects.toMatchObject({ code: 'ERR_HOLD_EXPIRED' });
    expect((await listBackups(domino.deltaDirectory)).map(({ id }) => id)).not.toContain(hold.id);
    await hold.dispose();
  });

  test('the command line holds by a process of its own', async () => {
    const held = await freeze('--json');
    expect(held).toMatchObject({ code: 0, stderr: '' });
    const { id, volumes } = JSON.parse(held.stdout) as { id: string; volumes: string[] };
    [volume = ''] = volumes;
    expect(await isHeld()).toBe(true);
    expect((await call('hold', '--status')).stdout).toMatch(new RegExp(`${id} +held +12 `));
    expect(await freeze()).toMatchObject({ code: 5, stderr: expect.stringContaining('ERR_LOCKED') as string });
    const root = snapshot();
    const released = await call('release', id, '--json');
    expect(released).toMatchObject({ code: 0, stderr: '' });
    expect(await isHeld()).toBe(false);
    expect((await call('hold', '--status')).stdout).toBe('nothing is held\n');
    await expectRestorable(JSON.parse(released.stdout) as BackupReport, root);
    await domino.expectQuiet();
  });

  test('one line serves guest agents: freeze, thaw, freezeFail', async () => {
    const hook = (verb: string): Promise<Ended> =>
      call(verb, '--delta-dir', domino.deltaDirectory, ...(verb === 'freeze' ? locationFlags(domino) : []));
    expect(await hook('freezeFail')).toMatchObject({ code: 0, stdout: 'nothing was held\n' });
    expect(await hook('thaw')).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_NOT_HELD') as string });
    expect(await hook('freeze')).toMatchObject({ code: 0 });
    expect(await hook('freezeFail')).toMatchObject({ code: 0, stdout: 'given up: no backup was made\n' });
    expect(await isHeld()).toBe(false);
    expect(await hook('freeze')).toMatchObject({ code: 0 });
    expect(await hook('thaw')).toMatchObject({ code: 0, stdout: expect.stringContaining('complete') as string });
    await domino.expectQuiet();
  });

  test('a release that comes too late says so with its exit code', async () => {
    expect(await freeze('--max-hold', '0.3')).toMatchObject({ code: 0 });
    await until('the databases are out', async () => !(await isHeld()));
    expect(await call('release')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ERR_HOLD_EXPIRED') as string,
    });
    await domino.expectQuiet();
  });

  test('a holder that is killed leaves no backup, and the next hold cleans up after it', async () => {
    expect(await freeze()).toMatchObject({ code: 0 });
    const holds = join(domino.home, 'state', 'domino-vss', 'holds');
    const [record = ''] = readdirSync(holds).filter((name) => name.endsWith('.json'));
    const { holder } = JSON.parse(readFileSync(join(holds, record), 'utf8')) as { holder: { pid: number } };
    process.kill(holder.pid, 'SIGKILL');
    expect(await call('release')).toMatchObject({ code: 1, stderr: expect.stringContaining('is gone') as string });
    // A process that is killed needs a moment to die, and has the lock until then.
    await until('the next hold', async () => (await freeze()).code === 0);
    expect(await call('release')).toMatchObject({ code: 0 });
    expect((await domino.simulation.stats()).inBackup).toEqual([]);
  });

  test('a hold of another server whose process has died is not the one that is meant', async () => {
    expect(await freeze()).toMatchObject({ code: 0 });
    const holds = join(domino.home, 'state', 'domino-vss', 'holds');
    const [name = ''] = readdirSync(holds).filter((file) => file.endsWith('.json'));
    const record = JSON.parse(readFileSync(join(holds, name), 'utf8')) as { holder: object };
    const other = {
      ...record,
      id: '20260101T000000Z-aaaaaa',
      deltaDirectory: '/other',
      holder: { ...record.holder, pid: 1 },
    };
    writeFileSync(join(holds, `${other.id}.json`), JSON.stringify(other));
    expect(await call('release')).toMatchObject({ code: 0 });
    expect(await call('release', '--failed')).toMatchObject({ code: 0, stdout: 'nothing was held\n' });
    expect(await call('release')).toMatchObject({ code: 1, stderr: expect.stringContaining('is gone') as string });
    expect((await call('hold', '--status')).stdout).toBe('nothing is held\n');
  });

  test('what is no request ends neither the hold nor its process', async () => {
    const held = JSON.parse((await freeze('--json')).stdout) as { id: string };
    await new Promise<void>((resolve) => {
      const socket = connect(join(domino.home, 'state', 'domino-vss', 'holds', `${held.id}.sock`));
      socket.on('close', () => {
        resolve();
      });
      socket.write('GET / HTTP/1.1\n');
    });
    expect(await isHeld()).toBe(true);
    expect(await call('release')).toMatchObject({ code: 0 });
  });

  test('an interrupt while the databases are put into backup mode takes them out again', async () => {
    await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: 500_000 });
    const holding = start(
      ['hold', '--shards', '1', '--delta-dir', domino.deltaDirectory, ...locationFlags(domino)],
      surroundings(),
    );
    await until('the first is in backup mode', isHeld);
    holding.interrupt();
    expect((await holding.ended).code).toBe(130);
    await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: null });
    expect(await isHeld()).toBe(false);
  });
});
