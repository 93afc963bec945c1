// A week of nightly jobs as in docs/schedule.md: backup, prune, and a drill on the seventh day. One night fails; in another
// the disk is full; in another the machine goes down. docs/schedule.md shows what an administrator would see: UPDATE_DOCS=1 writes
// it there. It needs root for a small disk.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linuxTest } from '../platform';
import { locationFlags, run, start, until, type Ended } from './command-line';
import { SimulatedDomino } from './simulated-domino';
import { excerptOf, expectOnPage, metricsOf, tableOf, type Night } from './week-page';

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
    const metricsOfBackup = (): string => readFileSync(join(metrics, 'backup.prom'), 'utf8');
    const metric = (name: string): string =>
      new RegExp(`^domino_vss_${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(metricsOfBackup())?.[1] ?? '';
    const lastSuccess = (): string => metric('last_success_timestamp_seconds');
    const backups = async (): Promise<{ id: string; state: string }[]> =>
      JSON.parse((await run(['backup', 'list', '--json'], { env })).stdout) as { id: string; state: string }[];

    const nights: Night[] = [];
    /** The nights of the successes, by their time in the metrics. */
    const successes = new Map<string, string>();
    const tell = async (name: string, ended: Ended): Promise<void> => {
      const complete = (await backups()).filter(({ state }) => state === 'complete').length;
      if (ended.code === 0 && !successes.has(lastSuccess())) successes.set(lastSuccess(), name);
      const night = successes.get(lastSuccess()) ?? '';
      nights.push({ name, ended, complete, lastExitCode: metric('last_exit_code'), lastSuccess: night });
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
    const afterFull = metricsOf(metricsOfBackup());

    // The machine goes down in the middle of the window.
    await simulation.set({ SIM_LATENCY_NSFBackupStop_US: 400_000 });
    const cut = start(['backup', 'run', '--quiet', '--shards', '1', ...locationFlags(domino)], { env });
    await until('a database is in backup mode', async () => (await simulation.stats()).inBackup.length > 0);
    const worker = execFileSync('pgrep', ['-P', String(cut.child.pid)], { encoding: 'utf8' }).trim();
    for (const pid of [worker, String(cut.child.pid)]) process.kill(Number(pid), 'SIGKILL');
    const down = await cut.ended;
    expect(down.signal).toBe('SIGKILL');
    await simulation.set({ SIM_LATENCY_NSFBackupStop_US: 0 });
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
    const here = (text: string): string =>
      text.replaceAll(copies, '/backup/copies').replaceAll(deltaDirectory, '/backup/domino');
    const notable = (text: string): boolean => /^\S+ (failed|warning WARN_WORK|drill passed)/m.test(text);
    expectOnPage([here(tableOf(nights)), here(excerptOf(log, notable)), afterFull]);
  },
  600_000,
);
