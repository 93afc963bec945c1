import { Option, type Command } from 'commander';
import { runBench, type BenchResult } from '../bench/bench';
import { benchCsv } from '../bench/csv';
import { benchPage } from '../bench/page';
import { chromeTrace } from '../bench/trace';
import { figureWords, fineMs, formatFigure, measuredFigures, meaningfulPercentiles } from '../bench/figures';
import { writeFile } from '../call/files';
import { counted } from '../errors/counted';
import { OptionError } from '../errors/errors';
import type { ProviderName } from '../backup/provider';
import {
  addDeltaDirectory,
  addDominoOptions,
  collect,
  locationOf,
  milliseconds,
  pathFrom,
  duration,
  wholeNumber,
  type DominoArguments,
} from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { formatBytes, formatTime, Output } from './output';
import type { Finish } from './system-log';
import { isCapable } from './width';
import { drawWindow } from './window-picture';

interface BenchArguments extends DominoArguments {
  readonly deltaDir: string;
  readonly runs: number;
  readonly warmUps: number;
  readonly provider: ProviderName;
  readonly shadowMs?: number;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly shards?: number;
  readonly shadowDir?: string;
  readonly stopAt?: 'end' | 'thaw';
  readonly compare?: boolean;
  readonly timeout: number;
  readonly csv?: string;
  readonly trace?: string;
  readonly html?: string;
}

export function addBenchCommand(program: Command, context: CommandLineContext, finish: Finish): void {
  const command = addDeltaDirectory(
    program.command('bench').description('measure the freeze window over several backups'),
    'delta directory of the backups',
    context,
  )
    .option('--runs <n>', 'number of measured backups', wholeNumber, 5)
    .option('--warm-ups <n>', 'number of backups before these, to warm the caches', wholeNumber, 1)
    .addOption(
      new Option('--provider <name>', 'how the shadow is made')
        .choices(['auto', 'vss', 'btrfs', 'reflink', 'rolling'])
        .default('auto'),
    )
    .option('--shadow-ms <ms>', 'make no shadow; wait this long instead', milliseconds)
    .option('--include <glob>', 'only these databases; can be repeated', collect)
    .option('--exclude <glob>', 'not these databases; can be repeated', collect)
    .option('--shards <n>', 'threads that put databases into backup mode (default: 4 per processor)', wholeNumber)
    .option('--shadow-dir <dir>', 'directory for shadows, as in "backup run"', pathFrom(context))
    .addOption(
      new Option(
        '--stop-at <moment>',
        'VSS: when databases leave backup mode (default: end; thaw is experimental)',
      ).choices(['end', 'thaw']),
    )
    .option(
      '--compare',
      'also measure one database after another, and a shadow by a separate process (btrfs, or a diskshadow script); with --stop-at thaw also the same backup without it',
    )
    .addOption(
      new Option('--timeout <duration>', 'time limit for one freeze window and everything around it')
        .argParser(duration)
        .default(600_000, '10m'),
    )
    .option('--csv <file>', 'write one line per run', pathFrom(context))
    .option('--trace <file>', 'write the run with the median window as a Chrome trace, for Perfetto', pathFrom(context))
    .option('--html <file>', 'write a page with the timeline of every database', pathFrom(context));
  addDominoOptions(command, context)
    .addHelpText(
      'after',
      `
Makes real backups, one after the other, and removes them. Users notice each of them as they would notice a normal backup.
"ideal" is the window if threads had to wait for nothing but Domino: all starts ÷ shards + shadow + all stops ÷ shards, each as
measured. With --compare each backup is followed by the same backup made in the other ways.

Examples:
  $ domino-vss bench --delta-dir /backup/domino --html window.html
  $ domino-vss bench --delta-dir /backup/domino --shadow-ms 500 --shards 32 --runs 20 --csv runs.csv
  $ domino-vss bench --delta-dir D:\\backup --stop-at thaw --compare

Exit codes: 0 success, 1 failed, 3 databases were skipped, 4 precondition not met (see doctor), 5 locked.
`,
    )
    .action(async (args: BenchArguments) => {
      if (args.runs === 0) throw new OptionError('runs', 'runs must be at least 1');
      const relaunched = await context.relaunch({
        domino: locationOf(args),
        deltaDirectory: args.deltaDir,
        loadsDomino: true,
        changes: true,
      });
      if (relaunched !== undefined) {
        finish(relaunched);
        return;
      }
      const result = await run(args, context);
      await writeFiles(args, result);
      const output = new Output(context, args.json ?? false);
      output.result(result.report, () => describe(result, output));
      finish(result.report.skipped.length === 0 ? exitCodes.ok : exitCodes.partial);
    });
}

function run(args: BenchArguments, context: CommandLineContext): Promise<BenchResult> {
  const visible = args.json !== true && isCapable(context.stderr, context.env);
  return runBench(context.loadBinding, {
    domino: locationOf(args),
    deltaDirectory: args.deltaDir,
    include: args.include,
    exclude: args.exclude,
    shards: args.shards,
    shadowDirectory: args.shadowDir,
    runs: args.runs,
    warmUps: args.warmUps,
    shadow: args.shadowMs === undefined ? { provider: args.provider } : { waitMs: args.shadowMs },
    stopAt: args.stopAt,
    compare: args.compare,
    timeoutMs: args.timeout,
    signal: context.signal,
    onRun: (done, total) => {
      if (visible) context.stderr.write(`\r${done < total ? `backup ${done + 1} of ${total}` : ''.padEnd(30)}\r`);
    },
  });
}

async function writeFiles({ csv, trace, html }: BenchArguments, result: BenchResult): Promise<void> {
  const { timeline, paths } = result.typical;
  if (csv !== undefined) await writeFile(csv, benchCsv(result.report));
  if (trace !== undefined) await writeFile(trace, chromeTrace(timeline, paths));
  if (html !== undefined) await writeFile(html, benchPage(result));
}

function describe({ report, typical }: BenchResult, output: Output): string[] {
  const { conditions, figures, skipped } = report;
  const shown = meaningfulPercentiles(report.runs.length);
  return [
    ...output.failures(skipped),
    ...drawWindow(typical.timeline, output.columns),
    '',
    ...output.table([
      ['OVER THE RUNS', ...shown.map((percentile) => percentile.toUpperCase())],
      ...measuredFigures(figures).map(([name, figure]) => [
        figureWords(name).title,
        ...shown.map((percentile) => formatFigure(name, figure[percentile])),
      ]),
    ]),
    '',
    ...compared(report, output),
    `${counted(conditions.databases, 'database')}, ${counted(conditions.shards, 'shard')}, provider ${conditions.provider}, ` +
      `${counted(conditions.runs, 'run')} after ${conditions.warmUps}`,
    `${conditions.server || 'a server without a name'} on ${conditions.computer}, ${formatTime(new Date(conditions.measuredAt))}`,
    `domino-vss ${conditions.package}, Node ${conditions.node}, ${conditions.platform}, ` +
      `${counted(conditions.processors, 'processor')} (${conditions.processor}), ${formatBytes(conditions.memoryBytes)}`,
  ];
}

function compared({ compared: ways, conditions, figures }: BenchResult['report'], output: Output): string[] {
  if (ways.length === 0) return [];
  const name = `domino-vss${conditions.stopAt === 'thaw' ? ', stopped at Thaw' : ''}`;
  const ours = figures['windowMs']?.median ?? 0;
  const rows = ways.map(({ way, windowMs, timesLonger }) => [
    way,
    fineMs(windowMs.median),
    `${timesLonger.toFixed(2)} ×`,
  ]);
  return [...output.table([['WAY', 'MEDIAN WINDOW', 'TIMES OURS'], [name, fineMs(ours), '1'], ...rows]), ''];
}
