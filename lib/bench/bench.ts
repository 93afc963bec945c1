import { rm } from 'node:fs/promises';
import { availableParallelism, cpus, hostname, release, totalmem } from 'node:os';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { beginBackup, defaultShards, type BeginBackupOptions } from '../backup/begin-backup';
import { publicCall } from '../call/call';
import type { DatabaseFailure } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import { readPackageVersion } from '../native/package-root';
import type { HookProvider, ProviderOption } from '../backup/provider';
import { spread, type Spread } from '../backup/spread';
import type { Timeline } from '../backup/timeline';
import type { VssOptions } from '../vss/context';
import { measureWindow, type WindowMeasure } from './measure';
import { spawnedBtrfsSnapshot, spawnedScript } from './spawned-snapshot';

export interface BenchOptions extends Pick<
  BeginBackupOptions,
  'domino' | 'deltaDirectory' | 'include' | 'exclude' | 'shadowDirectory' | 'shards' | 'signal'
> {
  /** Number of measured backups. */
  readonly runs: number;
  /** Number of backups before these, to warm up caches. */
  readonly warmUps: number;
  /** A real provider, or a wait in place of the shadow. */
  readonly shadow: { readonly provider: ProviderOption } | { readonly waitMs: number };
  /** VSS only: when databases leave backup mode, as in `VssOptions`. */
  readonly stopAt?: VssOptions['stopAt'];
  /**
   * Also makes each backup in the ways common without this package, and at Thaw also as it is without that, alternating with
   * ours.
   */
  readonly compare?: boolean | undefined;
  readonly timeoutMs: number;
  readonly onRun?: ((done: number, total: number) => void) | undefined;
}

/** The share of JavaScript in one call: how long the event loop worked, and how long it was blocked at most. */
export interface CallCost {
  readonly elapsedMs: number;
  readonly loopActiveMs: number;
  readonly longestDelayMs: number;
}

/** One backup. */
export interface BenchRun {
  readonly window: WindowMeasure;
  readonly captured: number;
  readonly skipped: number;
  readonly calls: { readonly begin: CallCost; readonly create: CallCost; readonly end: CallCost };
  /** Growth of the process from before `beginBackup` until the databases are open. The first run is the most meaningful. */
  readonly memoryBytes: number;
}

/** The same backup made in another way. */
export interface ComparedWay {
  readonly way: string;
  readonly windowMs: Spread;
  /** The window of each run. */
  readonly windowsMs: readonly number[];
  /** Median of this window ÷ median of ours. */
  readonly timesLonger: number;
}

export interface BenchReport {
  readonly conditions: {
    /** When the last run ended, as ISO 8601 in UTC. */
    readonly measuredAt: string;
    /** Name of the Domino server; empty if unknown. */
    readonly server: string;
    /** Host name of the machine. */
    readonly computer: string;
    readonly package: string;
    readonly node: string;
    readonly platform: string;
    readonly processor: string;
    readonly processors: number;
    readonly memoryBytes: number;
    readonly databases: number;
    readonly shards: number;
    readonly provider: string;
    /** VSS only: when databases left backup mode. */
    readonly stopAt?: VssOptions['stopAt'];
    readonly runs: number;
    readonly warmUps: number;
  };
  /** The same backup made in other ways; empty if nothing was compared. */
  readonly compared: readonly ComparedWay[];
  /** Figures over all runs, by name. */
  readonly figures: Readonly<Record<string, Spread>>;
  readonly runs: readonly BenchRun[];
  /** Why databases were left out of the last run. */
  readonly skipped: readonly DatabaseFailure[];
}

/** A report, and the complete timeline of the run with the median window. */
export interface BenchResult {
  readonly report: BenchReport;
  readonly typical: { readonly paths: readonly string[]; readonly timeline: Timeline };
}

/** Stands for the time a shadow takes, if none is made. */
function waiting(waitMs: number): HookProvider {
  return {
    name: `wait ${waitMs} ms`,
    flushesVolumes: true, // the time of a flush is part of the wait
    create: async ({ volumes }, { signal }) => {
      await sleep(waitMs, undefined, { signal });
      return { shadows: volumes.map(({ path }) => ({ volume: path, root: path })) };
    },
  };
}

interface FullRun {
  readonly run: BenchRun;
  readonly timeline: Timeline;
  readonly paths: readonly string[];
  readonly provider: string;
  readonly serverName: string;
  readonly skipped: readonly DatabaseFailure[];
}

/** Makes backups one after the other, measures each, and leaves nothing behind. */
export function runBench(loadBinding: () => NativeBinding, options: BenchOptions): Promise<BenchResult> {
  return publicCall(async () => {
    const shards = options.shards ?? defaultShards();
    const total = options.warmUps + options.runs;
    const runs: FullRun[] = [];
    let others: readonly Way[] = [];
    for (let done = 0; done < total; ++done) {
      options.onRun?.(done, total);
      const full = await measureOne(loadBinding, options, shards);
      if (options.compare && others.length === 0) others = otherWays(full.provider, options, shards);
      // Alternating with ours, so that other load on the machine affects all of them equally.
      for (const way of others) {
        const { timeline } = await measureOne(loadBinding, { ...options, ...way.options }, way.shards);
        if (done >= options.warmUps) way.windowsMs.push(timeline.windowMs);
      }
      if (done >= options.warmUps) runs.push(full);
    }
    options.onRun?.(total, total);
    return summarise(runs, others, options, shards);
  });
}

interface Way {
  readonly name: string;
  /** In which it differs from ours. */
  readonly options: Partial<Pick<BenchOptions, 'shadow' | 'stopAt'>>;
  readonly shards: number;
  readonly windowsMs: number[];
}

/** How backups are made without this package or without stopping at Thaw, as far as this machine supports it. */
function otherWays(provider: string, { stopAt, shadowDirectory }: BenchOptions, shards: number): Way[] {
  const ways: Way[] = [
    { name: 'one database after another', options: { stopAt: undefined }, shards: 1, windowsMs: [] },
  ];
  if (stopAt === 'thaw') {
    ways.unshift({ name: 'stopped at the end of DoSnapshotSet', options: { stopAt: 'end' }, shards, windowsMs: [] });
  }
  const spawned =
    provider === 'btrfs' ? spawnedBtrfsSnapshot(shadowDirectory) : provider === 'vss' ? spawnedScript() : undefined;
  if (spawned) {
    const options = { shadow: { provider: spawned }, stopAt: undefined };
    ways.push({ name: `spawned: ${spawned.name}`, options, shards, windowsMs: [] });
  }
  return ways;
}

async function measureOne(
  loadBinding: () => NativeBinding,
  { shadow, stopAt, domino, deltaDirectory, include, exclude, shadowDirectory, signal, timeoutMs }: BenchOptions,
  shards: number,
): Promise<FullRun> {
  const provider = 'provider' in shadow ? shadow.provider : waiting(shadow.waitMs);
  const place = typeof provider === 'object' ? {} : { shadowDirectory };
  const selection = { domino, deltaDirectory, include, exclude, ...place, ...(stopAt && { vss: { stopAt } }) };
  const before = process.memoryUsage.rss();
  const [backup, begin] = await costOf(() =>
    beginBackup(loadBinding, { ...selection, provider, shards, timeoutMs, signal }),
  );
  const memoryBytes = process.memoryUsage.rss() - before;
  // A failed call rolls everything back itself.
  const [set, create] = await costOf(() => backup.createShadow({ timeoutMs, signal }));
  const [report, end] = await costOf(() => backup.endBackup({ keep: false, signal }));
  // A measurement is not a backup that could be restored.
  await rm(backup.directory, { recursive: true, force: true });
  const paths: string[] = [];
  for (const { index, path } of set.describeDatabases()) paths[index] = path;
  return {
    run: {
      window: measureWindow(set.window, shards),
      captured: set.databases,
      skipped: set.skipped.length,
      calls: { begin, create, end },
      memoryBytes,
    },
    timeline: set.window,
    paths: Array.from({ length: set.window.databases.shard.length }, (_value, index) => paths[index] ?? ''),
    provider: set.provider.name,
    serverName: report.serverName,
    skipped: set.skipped,
  };
}

async function costOf<T>(call: () => Promise<T>): Promise<[T, CallCost]> {
  const resolutionMs = 1;
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  const before = performance.eventLoopUtilization();
  const startedAt = performance.now();
  delay.enable();
  const result = await call();
  // A delay is recorded when the timer after it fires, so one more timer has to fire.
  await sleep(2 * resolutionMs);
  delay.disable();
  const { active } = performance.eventLoopUtilization(before);
  return [
    result,
    {
      elapsedMs: performance.now() - startedAt,
      loopActiveMs: active,
      longestDelayMs: delay.count === 0 ? 0 : Math.max(0, delay.max / 1e6 - resolutionMs),
    },
  ];
}

/** The distribution of the figures over the runs, by name. For a phase that some runs did not have, only the others count. */
export function figuresOf(runs: readonly BenchRun[]): Record<string, Spread> & { readonly windowMs: Spread } {
  const over = (pick: (run: BenchRun) => number | null): Spread =>
    spread(runs.map(pick).filter((value): value is number => value !== null && Number.isFinite(value)));
  const phases = new Set(runs.flatMap(({ window }) => Object.keys(window.phasesMs)));
  return {
    windowMs: over(({ window }) => window.windowMs),
    idealMs: over(({ window }) => window.idealMs),
    windowRatio: over(({ window }) => window.windowRatio),
    skewMs: over(({ window }) => window.skewMs),
    skewRatio: over(({ window }) => window.skewRatio),
    preparedToFirstStartMs: over(({ window }) => window.preparedToFirstStartMs),
    lastStartToShadowMs: over(({ window }) => window.lastStartToShadowMs),
    shadowToFirstStopMs: over(({ window }) => window.shadowToFirstStopMs),
    ...Object.fromEntries(
      [...phases].map((phase) => [`${phase}Ms`, over(({ window }) => window.phasesMs[phase] ?? null)]),
    ),
    startCallMs: over(({ window }) => window.start.median),
    stopCallMs: over(({ window }) => window.stop.median),
    beginJavaScriptMs: over(({ calls }) => calls.begin.loopActiveMs),
    createJavaScriptMs: over(({ calls }) => calls.create.loopActiveMs),
    endJavaScriptMs: over(({ calls }) => calls.end.loopActiveMs),
    longestLoopDelayMs: over(({ calls }) => Math.max(...Object.values(calls).map((call) => call.longestDelayMs))),
    memoryBytesPerDatabase: over(({ memoryBytes, captured }) => memoryBytes / captured),
  };
}

function summarise(
  full: readonly FullRun[],
  others: readonly Way[],
  options: BenchOptions,
  shards: number,
): BenchResult {
  const runs = full.map(({ run }) => run);
  const byWindow = [...full].sort((a, b) => a.timeline.windowMs - b.timeline.windowMs);
  const typical = byWindow[Math.ceil(byWindow.length / 2) - 1];
  if (!typical) throw new RangeError('a benchmark needs a run');
  const figures = figuresOf(runs);
  return {
    report: {
      conditions: {
        measuredAt: new Date().toISOString(),
        server: typical.serverName,
        computer: hostname(),
        package: readPackageVersion(),
        node: process.version,
        platform: `${process.platform} ${process.arch} ${release()}`,
        processor: cpus()[0]?.model ?? 'unknown',
        processors: availableParallelism(),
        memoryBytes: totalmem(),
        databases: typical.run.captured,
        shards,
        provider: typical.provider,
        ...(typical.provider === 'vss' && { stopAt: options.stopAt ?? 'end' }),
        runs: options.runs,
        warmUps: options.warmUps,
      },
      compared: others.map(({ name, windowsMs }) => {
        const theirs = spread(windowsMs);
        return { way: name, windowMs: theirs, windowsMs, timesLonger: theirs.median / figures.windowMs.median };
      }),
      figures,
      runs,
      skipped: full.at(-1)?.skipped ?? [],
    },
    typical: { paths: typical.paths, timeline: typical.timeline },
  };
}
