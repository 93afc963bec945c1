import { figuresOf, type BenchReport, type BenchResult, type BenchRun, type CallCost } from '#lib/bench/bench';
import { measureWindow } from '#lib/bench/measure';
import { buildTimeline, type Timeline } from '#lib/backup/timeline';
import { spread } from '#lib/backup/spread';
import type { NativeResults } from '#lib/native/session';
import { randomOf } from '../random';

/** Names that could control a page or a terminal, or that are as long as possible. */
export const unkindPaths = [
  'mail/</script><img src=x onerror=alert(1)>.nsf',
  'mail/line\nbreak.nsf',
  'mail/\u001b[31mred\u001b]0;title\u0007.nsf',
  'mail/\u202Efsn.nsf',
  `${'archive of a department with a long name/'.repeat(5)}${'x'.repeat(60)}.nsf`,
  'mail/"\'&amp;.nsf',
];

interface Sample {
  readonly databases: number;
  readonly runs: number;
  readonly compared?: boolean;
}

/** A result of `runBench` for a server with this many databases, without running anything. The same for the same arguments. */
export async function sampleBench({ databases, runs, compared = false }: Sample): Promise<BenchResult> {
  const shards = 16;
  const next = randomOf(databases);
  const all = await Promise.all(
    Array.from({ length: runs }, () => buildTimeline(sampleResults(databases, shards, next))),
  );
  const byWindow = [...all].sort((a, b) => a.windowMs - b.windowMs);
  const typical = byWindow[Math.ceil(runs / 2) - 1]!;
  const cost: CallCost = { elapsedMs: 500, loopActiveMs: 12.5, longestDelayMs: 4.2 };
  const benchRuns: BenchRun[] = all.map((timeline) => ({
    window: measureWindow(timeline, shards),
    captured: databases - 1,
    skipped: 1,
    calls: { begin: cost, create: cost, end: cost },
    memoryBytes: databases * 944,
  }));
  const figures = figuresOf(benchRuns);
  const longerMs = benchRuns.map(({ window }) => window.windowMs * 8.6);
  const longer = spread(longerMs);
  const report: BenchReport = {
    conditions: {
      measuredAt: '2026-11-27T02:14:05.000Z',
      server: 'CN=Dublin/O=Acme <&>',
      computer: 'dublin.example',
      package: '0.1.0',
      node: 'v20.20.2',
      platform: 'linux x64 6.18.0',
      processor: 'AMD EPYC Processor (with IBPB)',
      processors: 2,
      memoryBytes: 24e9,
      databases: databases - 1,
      shards,
      provider: 'btrfs',
      runs,
      warmUps: 1,
    },
    compared: compared
      ? [
          {
            way: 'one database after another',
            windowMs: longer,
            windowsMs: longerMs,
            timesLonger: longer.median / figures.windowMs.median,
          },
        ]
      : [],
    figures,
    runs: benchRuns,
    skipped: [
      {
        database: unkindPaths[0]!,
        operation: 'NSFBackupStart',
        code: 'ERR_DOMINO_CALL',
        statusName: 'ERR_BACKUP_ALREADY_IN_PROGRESS',
        text: 'This database is already in backup',
      } as BenchReport['skipped'][number],
    ],
  };
  return { report, typical: { paths: samplePaths(databases), timeline: typical } };
}

function samplePaths(databases: number): string[] {
  return Array.from({ length: databases }, (_path, index) => {
    return unkindPaths[index] ?? `mail/user${String(index).padStart(6, '0')}.nsf`;
  });
}

/** Starts one after the other on each thread, a shadow, and stops in the same way. The last database does not take part. */
function sampleResults(count: number, shards: number, next: () => number): NativeResults {
  const empty = (): Float64Array => new Float64Array(count).fill(NaN);
  const [startCalledMs, startReturnedMs, stopCalledMs, stopReturnedMs] = [empty(), empty(), empty(), empty()];
  const shard = Uint16Array.from({ length: count }, (_shard, index) => index % shards);
  const fill = (
    begin: number,
    typicalMs: number,
    called: Timeline['databases']['startCalledMs'],
    returned: Float64Array,
  ) => {
    const free = new Array<number>(shards).fill(begin);
    for (let index = 0; index < count - 1; ++index) {
      const thread = shard[index]!;
      const tail = next() > 0.999 ? 40 : 1; // an occasional slow one
      called[index] = free[thread]!;
      returned[index] = called[index]! + typicalMs * (0.4 + 1.2 * next()) * tail;
      free[thread] = returned[index]! + 0.003;
    }
    return Math.max(...free);
  };
  const begin = 1000;
  const started = fill(begin, 2, startCalledMs, startReturnedMs);
  const shadowed = started + 0.05 + 400 + 200 * next();
  const stopped = fill(shadowed + 0.05, 1, stopCalledMs, stopReturnedMs);
  return {
    count,
    shard,
    startCalledMs,
    startReturnedMs,
    stopCalledMs,
    stopReturnedMs,
    originNs: 0n,
    phases: [
      { phase: 'prepare', beginMs: 900, endMs: 999.5 },
      { phase: 'start', beginMs: 999.9, endMs: started },
      { phase: 'shadow', beginMs: started + 0.05, endMs: shadowed },
      { phase: 'stop', beginMs: shadowed + 0.01, endMs: stopped },
    ],
  } as unknown as NativeResults;
}
