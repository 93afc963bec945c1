// A week of nightly jobs as in docs/schedule.md: backup, prune, and a drill on the seventh day. One night fails; in another
// the disk is full; in another the machine goes down. It prints what an administrator would see, and needs root for a small disk.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { linuxTest } from '../platform';
import { locationFlags, run, start, until, type Ended } from './command-line';
import { SimulatedDomino } from './simulated-domino';

const megabyte = 1024 * 1024;

linuxTest(
  'a week of nightly backups',
  async () => {
    await using domino = await SimulatedDomino.create({ databases: 12, pages: [16, 64], plainNames: true });
    const { home, deltaDirectory, shadowDirectory, simulation } = domino;
    const [needed = ''] = simulation.databases();
    const copies = join(home, 'copies');
    const metrics = join(home, 'metrics');
    for (const directory of [copies, metrics]) mkdirSync(directory);
    const config = join(home, 'config.json');
    writeFileSync(
      config,
      JSON.stringify({
        'delta-dir': deltaDirectory,
        log: join(home, 'nightly.log'),
        'backup run': {
          to: copies,
          'shadow-dir': shadowDirectory,
          required: [needed],
          metrics: join(metrics, 'backup.prom'),
        },
        'backup prune': { 'keep-last': 2, metrics: join(metrics, 'prune.prom') },
        drill: { metrics: join(metrics, 'drill.prom') },
      }),
      { mode: 0o600 },
    );
    const env = { DOMINO_VSS_CONFIG: config };
    const job = (...args: string[]): Promise<Ended> => run([...args, '--quiet', ...locationFlags(domino)], { env });
    const prune = (): Promise<Ended> => run(['backup', 'prune', '--quiet'], { env });
    const lastSuccess = (): string =>
      /^domino_vss_last_success_timestamp_seconds\{[^}]*\} (\S+)$/m.exec(
        readFileSync(join(metrics, 'backup.prom'), 'utf8'),
      )?.[1] ?? '';
    const backups = async (): Promise<{ id: string; state: string }[]> =>
      JSON.parse((await run(['backup', 'list', '--json'], { env })).stdout) as { id: string; state: string }[];

    const transcript: string[] = [];
    const tell = async (night: string, { code, signal, stderr }: Ended): Promise<void> => {
      const whole = (await backups()).filter(({ state }) => state === 'complete').length;
      const said = stderr.split('\n').find((line) => /^failed|^warning/.test(line)) ?? '';
      transcript.push(
        `${night.padEnd(22)} ${String(code ?? signal).padEnd(8)} ${String(whole).padEnd(8)} ${said}`.trimEnd(),
      );
    };
    const server = await domino.serve({ threads: 2, transactionsPerSecond: 200 });

    const good = async (night: string): Promise<void> => {
      const before = existsSync(join(metrics, 'backup.prom')) ? lastSuccess() : '';
      const ended = await job('backup', 'run');
      expect(ended).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
      expect((await prune()).code).toBe(0);
      expect(lastSuccess()).not.toBe(before);
      await tell(night, ended);
    };

    await good('1');
    await good('2');

    const names = join(simulation.dataDirectory, needed);
    const before = lastSuccess();
    renameSync(names, `${names}.away`);
    const failed = await job('backup', 'run');
    renameSync(`${names}.away`, names);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain(needed);
    expect(lastSuccess()).toBe(before);
    await tell('3: a database missing', failed);

    await good('4');

    // The disk for the copies is too small for them.
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabyte / 2},mode=700`, 'tmpfs', copies]);
    const full = await job('backup', 'run').finally(() => execFileSync('umount', [copies]));
    expect([1, 3, 4]).toContain(full.code);
    expect(full.stderr).toMatch(/ENOSPC|space|room/i);
    await tell('5: disk full', full);

    // The machine goes down in the middle of the window.
    await simulation.set({ SIM_LATENCY_NSFBackupStart_US: 100_000 });
    const cut = start(['backup', 'run', '--quiet', '--shards', '1', ...locationFlags(domino)], { env });
    await until('the journal is there', () => {
      const journals = join(deltaDirectory, '.journal');
      return existsSync(journals) && readdirSync(journals).some((name) => name.endsWith('.journal'));
    });
    await sleep(400);
    const worker = execFileSync('pgrep', ['-P', String(cut.child.pid)], { encoding: 'utf8' }).trim();
    for (const pid of [worker, String(cut.child.pid)]) process.kill(Number(pid), 'SIGKILL');
    const down = await cut.ended;
    expect(down.signal).toBe('SIGKILL');
    await simulation.set({ SIM_LATENCY_NSFBackupStart_US: 0 });
    await tell('6: machine goes down', down);

    await good('7');
    const drill = await job('drill', '--sample', '5');
    expect([drill.code, drill.stderr]).toEqual([0, '']);
    await tell('7: drill', drill);

    await server.stop();
    const left = await backups();
    expect(left.map(({ state }) => state)).toEqual(['complete', 'complete']);
    for (const { id } of left) expect((await job('backup', 'verify', id)).code).toBe(0);
    expect(readdirSync(copies).sort()).toEqual(left.map(({ id }) => id).sort());
    expect(readdirSync(join(deltaDirectory, '.journal'))).toEqual([]);
    const log = readFileSync(join(home, 'nightly.log'), 'utf8');
    const ends = [...log.matchAll(/ended with exit code (\d+)$/gm)].map(([, code]) => code);
    expect(ends.filter((code) => code !== '0')).toHaveLength(2);
    await domino.expectQuiet(1);
    process.stdout.write(`${['night                  exit     complete said', ...transcript].join('\n')}\n`);
  },
  600_000,
);
