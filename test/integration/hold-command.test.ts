// `domino-vss hold` and `release`: a process of its own holds the databases between two commands.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { listBackups, type BackupReport } from '#lib/index';
import { locationFlags, start, until, type Ended } from './command-line';
import { HeldDomino } from './held-domino';
import { linuxTest } from '../platform';

let domino: HeldDomino;

beforeAll(async () => {
  domino = await HeldDomino.create();
}, 120_000);

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
});

const containing = (text: string): string => expect.stringContaining(text) as string;

async function backups(): Promise<string[]> {
  return (await listBackups(domino.deltaDirectory)).map(({ id }) => id);
}

/** One database after another, and so slowly that something can happen meanwhile. */
async function freezeSlowly(): Promise<ReturnType<typeof start>> {
  await domino.simulated.simulation.set({ SIM_LATENCY_NSFBackupStart_US: 500_000 });
  const holding = start(['hold', '--shards', '1', ...domino.holdFlags], domino.surroundings);
  await until('the first is in backup mode', () => domino.isHeld());
  return holding;
}

test('a process of its own holds the databases until the release', async () => {
  const held = await domino.freeze('--json');
  expect(held).toMatchObject({ code: 0, stderr: '' });
  const { id, volumes } = JSON.parse(held.stdout) as { id: string; volumes: string[] };
  const [volume = ''] = volumes;
  expect(await domino.isHeld()).toBe(true);
  expect((await domino.call('hold', '--status')).stdout).toMatch(new RegExp(`${id} +held +12 `));
  expect(await domino.freeze()).toMatchObject({ code: 5, stderr: containing('ERR_LOCKED') });
  const root = domino.snapshot(volume);
  const released = await domino.call('release', id, '--json');
  expect(released).toMatchObject({ code: 0, stderr: '' });
  expect(await domino.isHeld()).toBe(false);
  expect((await domino.call('hold', '--status')).stdout).toBe('nothing is held\n');
  expect(await domino.call('release', id)).toMatchObject({ code: 1, stderr: containing('nothing is held') });
  await domino.expectRestorable(JSON.parse(released.stdout) as BackupReport, volume, root);
  await domino.expectQuiet();
});

test('the snapshot can be named at the release, and a wrong name releases nothing', async () => {
  const { volumes } = JSON.parse((await domino.freeze('--json')).stdout) as { volumes: string[] };
  const [volume = ''] = volumes;
  const root = domino.snapshot(volume);
  expect(await domino.call('release', '--shadow-root', join(root, 'nowhere'))).toMatchObject({ code: 2 });
  expect(await domino.isHeld()).toBe(true);
  const released = await domino.call('release', '--shadow-root', `${volume}=${root}`, '--hash', '--json');
  expect(released).toMatchObject({ code: 0, stderr: '' });
  const report = JSON.parse(released.stdout) as BackupReport;
  expect(report).toMatchObject({ contents: { shadows: 'sha256' }, volumes: [{ kept: true, root }] });
  await domino.expectRestorable(report, volume, root);
});

test('one line serves guest agents: freeze, thaw, freezeFail', async () => {
  const hook = (verb: string): Promise<Ended> =>
    domino.call(verb, ...domino.holdFlags, '--max-hold', '2m', '--shards', '2', '--include', '**');
  expect(await hook('freezeFail')).toMatchObject({ code: 0, stdout: 'nothing was held\n' });
  expect(await hook('thaw')).toMatchObject({ code: 1, stderr: containing('ERR_NOT_HELD') });
  expect(await hook('freeze')).toMatchObject({ code: 0 });
  expect(await hook('freezeFail')).toMatchObject({ code: 0, stdout: 'given up: no backup was made\n' });
  expect(await domino.isHeld()).toBe(false);
  expect(await hook('freeze')).toMatchObject({ code: 0 });
  expect(await hook('thaw')).toMatchObject({ code: 0, stdout: containing('complete') });
  await domino.expectQuiet();
});

test('a release that comes too late says so with its exit code', async () => {
  const before = await backups();
  expect(await domino.freeze('--max-hold', '0.3')).toMatchObject({ code: 0 });
  await until('the databases are out', async () => !(await domino.isHeld()));
  expect(await domino.call('release')).toMatchObject({ code: 1, stderr: containing('ERR_HOLD_EXPIRED') });
  expect(await backups()).toEqual(before);
  await domino.expectQuiet();
});

test('a holder that is killed leaves no backup, and the next hold cleans up after it', async () => {
  expect(await domino.freeze()).toMatchObject({ code: 0 });
  process.kill(domino.record().holder.pid, 'SIGKILL');
  const gone = await domino.call('release');
  expect(gone).toMatchObject({ code: 1, stderr: containing('is gone') });
  expect(gone.stderr).toContain(`Run: domino-vss recover --delta-dir ${domino.deltaDirectory}`);
  // A process that is killed needs a moment to die, and has the lock until then.
  await until('the next hold', async () => (await domino.freeze()).code === 0);
  expect(await domino.call('release')).toMatchObject({ code: 0 });
  expect((await domino.simulated.simulation.stats()).inBackup).toEqual([]);
});

test('a holder that is killed before everything is held: the command says what is left', async () => {
  const holding = await freezeSlowly();
  const [journal = ''] = readdirSync(join(domino.deltaDirectory, '.journal')).filter((name) =>
    name.endsWith('.journal'),
  );
  const [head = ''] = readFileSync(join(domino.deltaDirectory, '.journal', journal), 'utf8').split('\n');
  process.kill((JSON.parse(head) as { pid: number }).pid, 'SIGKILL');
  const { code, stderr } = await holding.ended;
  await domino.simulated.simulation.set({ SIM_LATENCY_NSFBackupStart_US: null });
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: containing('may still be in backup mode') });
  expect(stderr).toContain(`domino-vss recover --delta-dir ${domino.deltaDirectory} --ini`);
  const recovered = await domino.call(
    'recover',
    '--delta-dir',
    domino.deltaDirectory,
    ...locationFlags(domino.simulated),
  );
  expect(recovered).toMatchObject({ code: 0 });
  expect(await domino.isHeld()).toBe(false);
});

test('a hold of another server whose process has died is not the one that is meant', async () => {
  expect(await domino.freeze()).toMatchObject({ code: 0 });
  const record = domino.record();
  const otherDirectory = join(domino.holds, 'other');
  const journal = join(otherDirectory, '.journal', '20260101T000000Z-aaaaaa.journal');
  mkdirSync(join(otherDirectory, '.journal'), { recursive: true });
  writeFileSync(journal, '');
  const other = {
    ...record,
    id: '20260101T000000Z-aaaaaa',
    channel: record.channel.replace(record.id, '20260101T000000Z-aaaaaa'),
    deltaDirectory: otherDirectory,
    // The first process of a system, or none: neither has begun this hold.
    holder: { ...record.holder, pid: 1 },
  };
  writeFileSync(join(domino.holds, `${other.id}.json`), JSON.stringify(other));
  expect(await domino.call('release')).toMatchObject({ code: 0 });
  const left = { code: 1, stderr: containing('domino-vss recover') };
  for (const again of [1, 2]) expect([again, await domino.call('release', '--failed')]).toMatchObject([again, left]);
  // As recover does.
  rmSync(journal);
  expect(await domino.call('release', '--failed')).toMatchObject({ code: 0, stdout: 'nothing was held\n' });
  expect((await domino.call('hold', '--status')).stdout).toBe('nothing is held\n');
});

test('what is no request ends neither the hold nor its process', async () => {
  expect(await domino.freeze()).toMatchObject({ code: 0 });
  for (const line of ['GET / HTTP/1.1', 'null', '{"type":"of a later version"}', '{"type":"release"}']) {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(domino.record().channel);
      socket.on('error', reject).on('close', () => {
        resolve();
      });
      socket.write(`${line}\n`);
    });
    expect({ line, isHeld: await domino.isHeld() }).toEqual({ line, isHeld: true });
  }
  expect(await domino.call('release')).toMatchObject({ code: 0 });
});

test('a caller that is killed leaves nothing that is held', async () => {
  const holding = await freezeSlowly();
  holding.interrupt('SIGKILL');
  await holding.ended;
  await domino.simulated.simulation.set({ SIM_LATENCY_NSFBackupStart_US: null });
  await until('the databases are out', async () => !(await domino.isHeld()));
  expect(await domino.call('release')).toMatchObject({ code: 1, stderr: containing('nothing is held') });
});

// Windows has no signal that a process could be sent instead of Ctrl-C.
linuxTest('an interrupt while the databases are put into backup mode takes them out again', async () => {
  const holding = await freezeSlowly();
  holding.interrupt();
  expect((await holding.ended).code).toBe(130);
  await domino.simulated.simulation.set({ SIM_LATENCY_NSFBackupStart_US: null });
  expect(await domino.isHeld()).toBe(false);
});
