// node build/bench/compare.js [scale] [package] [uneven] [order] [curve] [disk] [clones] [btrfs]: what docs/benchmarks.md shows; all of it by
// default. `disk`, `clones` and `btrfs` mount images and so need root.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createSimulation, type Simulation } from 'domino-vss-simulator';
import type { BenchReport } from '#lib/bench/bench';
import { loadBinding } from '#lib/native/binding';
import { packageRoot } from '#lib/native/package-root';
import type { Spread } from '#lib/backup/spread';
import { LoopImage } from '../test/integration/loop/images';
import {
  buildEngineBench,
  idleProgramDirectory,
  median,
  runEngine,
  type EngineOptions,
  type EngineRun,
} from './engine';

const seed = 20261123;
const commandLine = join(packageRoot, 'dist', 'cli', 'main.js');
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function main(): Promise<void> {
  const parts = { scale, package: wholePackage, uneven, order, curve, disk, clones, btrfs };
  const asked = process.argv.slice(2);
  const unknown = asked.find((name) => !Object.hasOwn(parts, name));
  if (unknown !== undefined) throw new Error(`no part "${unknown}"; there are: ${Object.keys(parts).join(' ')}`);
  say(`${cpus().length} × ${cpus()[0]?.model ?? ''}, Linux ${release()}, Node ${process.version}, seed ${seed}`);
  say(
    `load before: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  );
  buildEngineBench();
  for (const [name, part] of Object.entries(parts)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    say(`\n== ${name}`);
    await part();
  }
}

/** The engine alone, against a Domino that waits or does nothing. */
async function scale(): Promise<void> {
  say('databases  window ÷ ideal  skew ÷ ideal start   (start 2 ms, shadow 500 ms, stop 1 ms, 16 shards)');
  for (const [databases, runs] of [
    [1000, 5],
    [10_000, 5],
    [100_000, 1],
  ] as const) {
    const found = await runEngine({ databases, runs, startUs: 2000, stopUs: 1000, shadowMs: 500 });
    say(
      `${column(databases, 9)}  ${column(middle(found, 'windowRatio'), 14)}  ${column(middle(found, 'skewRatio'), 18)}`,
    );
  }
  say('\ndatabases  µs a database  prepared → first start, µs  bytes a database   (no waiting, 1 shard)');
  for (const databases of [100, 1000, 10_000, 100_000]) {
    const found = await runEngine({ databases, shards: 1, runs: 9 });
    const us = column(middle(found, 'windowUsPerDatabase'), 13);
    const first = column(middle(found, 'preparedToFirstStartUs'), 26);
    // Only the first session of a process has to ask the system for its memory.
    say(`${column(databases, 9)}  ${us}  ${first}  ${column(found[0]?.bytesPerDatabase ?? NaN, 16)}`);
  }
}

/** The command line with everything below it, over a runtime library that waits and holds no file open. */
async function wholePackage(): Promise<void> {
  say('databases  window ÷ ideal  loop late, ms  bytes a database  manifest, bytes a database  (as above, 3 backups)');
  for (const databases of [1000, 10_000, 100_000]) {
    const home = mkdtempSync('/dev/shm/domino-vss-bench-');
    try {
      const idle = await idleServer(home, databases);
      const args = ['bench', '--shards', '16', '--runs', '3', '--warm-ups', '1', '--shadow-ms', '500', '--json'];
      const { figures } = JSON.parse(await idle.run(args)) as BenchReport;
      const figure = (name: string): Spread => figures[name]!;
      await idle.run([
        'backup',
        'run',
        '--provider',
        'rolling',
        '--shards',
        '16',
        '--shadow-dir',
        join(home, 'shadow'),
      ]);
      const [backup = ''] = readdirSync(join(home, 'delta')).filter((name) => !name.startsWith('.'));
      const manifest = statSync(join(home, 'delta', backup, 'databases.ndjson')).size;
      say(
        [
          column(databases, 9),
          column(figure('windowRatio').median, 14),
          column(figure('longestLoopDelayMs').max, 13),
          column(Math.round(figure('memoryBytesPerDatabase').max), 16),
          column(Math.round(manifest / databases), 26),
        ].join('  '),
      );
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }
}

interface IdleServer {
  /** Runs the command line with its location and delta directory; answers the standard output. */
  run(args: readonly string[]): Promise<string>;
}

/** Empty files with the signature of databases, and the runtime library that waits. */
async function idleServer(home: string, databases: number): Promise<IdleServer> {
  const data = join(home, 'data');
  const content = Buffer.alloc(512);
  content[0] = 0x1a;
  for (let index = 0; index < databases; ++index) {
    const folder = join(data, `mail${Math.floor(index / 1000)}`);
    if (index % 1000 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `user${index}.nsf`), content);
  }
  const ini = join(home, 'notes.ini');
  writeFileSync(ini, `Directory=${data}\n`);
  const location = ['--ini', ini, '--program', idleProgramDirectory, '--delta-dir', join(home, 'delta')];
  const env = { ...process.env, IDLE_DATA: data, IDLE_START_US: '2000', IDLE_STOP_US: '1000' };
  return {
    run: async ([command = '', ...args]) => {
      const words = [commandLine, command, ...(command === 'backup' ? args.splice(0, 1) : []), ...location, ...args];
      const { stdout } = await promisify(execFile)(process.execPath, words, { env, maxBuffer: 2 ** 28 });
      return stdout;
    },
  };
}

/** Databases of which one in a hundred takes 100 times as long, dealt in turn and spread by known costs. */
async function uneven(): Promise<void> {
  say('shards  window ÷ ideal, costs unknown  known   (2000 databases, one in 100 takes 100 times as long)');
  for (const shards of [4, 8, 16]) {
    const common = { databases: 2000, shards, startUs: 400, stopUs: 200, shadowMs: 50, heavy: 100, runs: 3 };
    const unknown = middle(await runEngine({ ...common, known: false }), 'windowRatio');
    const known = middle(await runEngine({ ...common, known: true }), 'windowRatio');
    say(`${column(shards, 6)}  ${column(unknown, 29)}  ${column(known, 5)}`);
  }
}

/**
 * How long a database is in backup mode, weighted by what is written to it: in the order of activity against an order that
 * knows nothing of it, in turn.
 */
async function order(): Promise<void> {
  say('shadow, ms  weighted, unknown  known  known ÷ unknown  window ÷ window   (2000 databases, Zipf, 16 shards)');
  for (const shadowMs of [0, 50, 100, 200, 500]) {
    const common = { databases: 2000, shards: 16, startUs: 2000, stopUs: 1000, shadowMs, zipf: 1, runs: 1 };
    const found: Record<'none' | 'activity', EngineRun[]> = { none: [], activity: [] };
    for (let round = 0; round < 5; ++round) {
      for (const way of ['none', 'activity'] as const) found[way].push(...(await runEngine({ ...common, order: way })));
    }
    const [unknown, known] = [middle(found.none, 'writeMs'), middle(found.activity, 'writeMs')];
    const windows = middle(found.activity, 'windowMs') / middle(found.none, 'windowMs');
    say(
      [
        column(shadowMs, 10),
        column(unknown, 17),
        column(known, 5),
        column(known / unknown, 15),
        column(windows, 15),
      ].join('  '),
    );
  }
}

/** Against stop-and-drain one by one, over shards and over how much Domino serialises. */
async function curve(): Promise<void> {
  await withSimulation(500, '/dev/shm', async (simulation) => {
    for (const share of [0, 0.5, 1]) {
      const settings = {
        SIM_LATENCY_NSFBackupStart_US: 2000,
        SIM_LATENCY_NSFBackupStop_US: 1000,
        SIM_LATENCY_NSFBackupGetChangeInfoSize_US: 200,
        SIM_SERIALISED_SHARE: share,
      };
      const common: EngineOptions = { simulation, settings, shadowMs: 50, runs: 3 };
      const before = middle(await runEngine({ ...common, way: 'one-by-one' }), 'windowMs');
      say(`serialised share ${share}: one by one ${before.toFixed(0)} ms`);
      for (const shards of [1, 2, 4, 8, 16, 32, 64]) {
        const window = middle(await runEngine({ ...common, shards }), 'windowMs');
        say(`  ${column(shards, 2)} shards ${column(window, 7)} ms  ${(before / window).toFixed(2)} × shorter`);
      }
    }
  });
}

/** Nothing artificial: dirty pages on XFS, and every start synced to the disk. */
async function disk(): Promise<void> {
  using image = new LoopImage('xfs', 4096);
  await withSimulation(2000, image.mountPoint, async (simulation) => {
    const server = await simulation.serve({ threads: 2, transactionsPerSecond: 1500, seed });
    const ways: Record<string, EngineOptions> = {
      'one by one': { simulation, way: 'one-by-one', runs: 1 },
      '1 shard': { simulation, shards: 1, runs: 1, flush: image.mountPoint },
      '8 shards': { simulation, shards: 8, runs: 1, flush: image.mountPoint },
      '16 shards': { simulation, shards: 16, runs: 1, flush: image.mountPoint },
      '32 shards': { simulation, shards: 32, runs: 1, flush: image.mountPoint },
    };
    const windows = new Map<string, number[]>();
    for (let round = 0; round < 5; ++round) {
      for (const [name, options] of Object.entries(ways)) {
        await sleep(1000); // pages become dirty
        const found = await runEngine(options);
        windows.set(name, [...(windows.get(name) ?? []), ...found.map(({ windowMs }) => windowMs)]);
      }
    }
    const before = median(windows.get('one by one') ?? []);
    for (const [name, values] of windows) {
      const window = median(values);
      const all = values.map((value) => value.toFixed(0)).join(' ');
      say(`${name.padEnd(11)} ${column(window, 8)} ms  ${(before / window).toFixed(2)} × shorter   (all: ${all})`);
    }
    await server.stop();
  });
}

/** Clones and stops in a pipeline, against all clones before the first stop; the same databases, in turn. */
async function clones(): Promise<void> {
  using image = new LoopImage('xfs', 4096);
  await withSimulation(2000, image.mountPoint, async (simulation) => {
    const server = await simulation.serve({ threads: 2, transactionsPerSecond: 1500, seed });
    const orders = ['pipelined', 'first'] as const;
    const found: Record<(typeof orders)[number], EngineRun[]> = { pipelined: [], first: [] };
    for (let round = 0; round < 10; ++round) {
      for (const order of orders) {
        await sleep(500); // pages become dirty
        const into = join(image.mountPoint, 'clones');
        found[order].push(
          ...(await runEngine({ simulation, runs: 1, flush: image.mountPoint, clones: { order, into } })),
        );
        rmSync(into, { recursive: true, force: true });
      }
    }
    await server.stop();
    const [pipelined, first] = [found.pipelined, found.first];
    for (const figure of ['windowMs', 'databaseMs'] as const) {
      const [ours, theirs] = [middle(pipelined, figure), middle(first, figure)];
      say(
        `${figure}: pipelined ${ours.toFixed(1)}, clones first ${theirs.toFixed(1)}: ${(theirs / ours).toFixed(2)} ×`,
      );
    }
  });
}

/** A snapshot by ioctl inside the engine, against the tool spawned from Node: 200 of each, in turn. */
async function btrfs(): Promise<void> {
  using image = new LoopImage('btrfs', 1024);
  const volume = image.subvolume('data');
  writeFileSync(join(volume, 'names.nsf'), Buffer.alloc(65_536, 7));
  const work = mkdtempSync(join(tmpdir(), 'domino-vss-bench-'));
  const called: number[] = [];
  const spawned: number[] = [];
  for (let round = 0; round < 200; ++round) {
    const deltaDirectory = join(work, String(round));
    mkdirSync(deltaDirectory);
    called.push(await snapshotByCall(volume, join(image.mountPoint, `call-${round}`), deltaDirectory));

    const target = join(image.mountPoint, `tool-${round}`);
    const startedAt = performance.now();
    await tool('subvolume', 'snapshot', '-r', volume, target);
    spawned.push(performance.now() - startedAt);
    await tool('subvolume', 'delete', target);
  }
  rmSync(work, { recursive: true });
  const [call, spawnedTool] = [median(called), median(spawned)];
  say(`ioctl ${call.toFixed(3)} ms, spawned tool ${spawnedTool.toFixed(3)} ms: ${(spawnedTool / call).toFixed(1)} ×`);
}

async function snapshotByCall(source: string, target: string, deltaDirectory: string): Promise<number> {
  const session = loadBinding().createSession({
    provider: 'btrfs',
    source: 'offline',
    volumes: [{ source, target }],
    shards: 1,
    databaseBudgetMs: 10_000,
    windowTimeoutMs: 60_000,
    leaseMs: 60_000,
    deltaDirectory,
  });
  session.add({
    paths: ['names.nsf'],
    files: [join(source, 'names.nsf')],
    targets: [''],
    costsUs: new Uint32Array(1),
    fileNumbers: new BigUint64Array(1),
    activity: new Float64Array(1),
  });
  await session.open(10_000);
  await session.prepare(10_000);
  await session.capture(10_000);
  const phase = session.results().phases.find((candidate) => candidate.phase === 'shadow');
  await session.close({ keepShadow: false, succeeded: false, deletedShadows: [], timeoutMs: 10_000 });
  if (!phase) throw new Error('no shadow phase');
  return phase.endMs - phase.beginMs;
}

async function tool(...args: readonly string[]): Promise<void> {
  const [code] = (await once(spawn('btrfs', ['-q', ...args], { stdio: 'ignore' }), 'exit')) as [number | null];
  if (code !== 0) throw new Error(`btrfs ${args.join(' ')} ended with ${code}`);
}

async function withSimulation(
  databases: number,
  parent: string,
  body: (simulation: Simulation) => Promise<void>,
): Promise<void> {
  const home = mkdtempSync(join(parent, 'domino-vss-bench-'));
  const directory = join(home, 'domino');
  const simulation = await createSimulation({ directory, databases, pages: [8, 16], plainNames: true, seed });
  try {
    await body(simulation);
  } finally {
    await simulation.destroy();
    rmSync(home, { recursive: true, force: true });
  }
}

function middle(runs: readonly EngineRun[], figure: keyof EngineRun): number {
  return median(runs.map((run) => run[figure]));
}

function column(value: number, width: number): string {
  return (Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 4 : 1)).padStart(width);
}

void main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
