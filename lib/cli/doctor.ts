import { Option, type Command } from 'commander';
import { runDoctor } from '../doctor/doctor';
import type { CheckStatus, DoctorReport } from '../doctor/check';
import type { ProviderName } from '../backup/provider';
import { addDominoOptions, duration, locationOf, pathFrom, type DominoArguments } from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { inFlags } from './flags';
import { Output } from './output';
import type { Finish } from './system-log';
import { settingsInForce } from './settings';

interface DoctorArguments extends DominoArguments {
  readonly deltaDir?: string;
  readonly shadowDir?: string;
  readonly provider: ProviderName;
  readonly canary?: boolean;
  readonly timeout?: number;
}

export function addDoctorCommand(program: Command, context: CommandLineContext, finish: Finish): void {
  const doctor = program
    .command('doctor')
    .description('test every precondition of a backup and say what to do')
    .option('--delta-dir <dir>', 'also test this delta directory', pathFrom(context))
    .option('--shadow-dir <dir>', 'directory for shadows, as in "backup run"', pathFrom(context))
    .addOption(
      new Option('--provider <name>', 'provider to test')
        .choices(['auto', 'vss', 'btrfs', 'reflink', 'rolling'])
        .default('auto'),
    )
    .option('--canary', 'prove that this process and the live server share their databases')
    .option('--timeout <duration>', 'time limit for all checks (default: 2m)', duration);
  addDominoOptions(doctor, context)
    .addHelpText(
      'after',
      `
The canary creates a small database through the server, puts it into backup mode in this process, writes to it through the
server, checks for change information, and removes it. Only this proves that backups record what the server writes.

Examples:
  $ domino-vss doctor --delta-dir /backup/domino
  $ domino-vss doctor --canary --json

Exit codes: 0 all preconditions are met (perhaps with warnings), 4 at least one is not.
`,
    )
    .action(async (args: DoctorArguments) => {
      const settings = await settingsInForce(program, context);
      const relaunched = await context.relaunch({
        domino: locationOf(args),
        deltaDirectory: args.deltaDir,
        loadsDomino: true,
        changes: args.canary === true,
      });
      if (relaunched !== undefined) {
        finish(relaunched);
        return;
      }
      const report = await runDoctor(context.loadBinding, {
        domino: locationOf(args),
        deltaDirectory: args.deltaDir,
        shadowDirectory: args.shadowDir,
        provider: args.provider,
        canary: args.canary,
        timeoutMs: args.timeout,
        signal: context.signal,
      });
      const output = new Output(context, args.json ?? false);
      output.result({ ...report, settings }, () => [
        ...describeReport(report, output),
        ...describeSettings(settings, output),
      ]);
      finish(report.outcome === 'failed' ? exitCodes.precondition : exitCodes.ok);
    });
}

/** Failures first. */
const order: readonly CheckStatus[] = ['failed', 'warning', 'ok', 'skipped'];

/** The checks, the worst first, and the overall result. */
export function describeReport({ checks, outcome }: DoctorReport, output: Output): string[] {
  const { colors } = output;
  const paint = { failed: colors.red, warning: colors.yellow, ok: colors.green, skipped: colors.dim };
  const lines = order.flatMap((status) =>
    checks
      .filter((check) => check.status === status)
      .flatMap(({ name, code, found, advice }) => [
        `${paint[status](status.padEnd(8))}${colors.bold(name)}: ${code === '' ? '' : `${code}: `}${found}`,
        ...(advice === '' ? [] : [`        ${status === 'ok' ? 'note:' : 'what to do:'} ${inFlags(advice)}`]),
      ]),
  );
  const verdict = {
    failed: colors.red('A backup would fail or be useless: see the failed checks.'),
    warning: colors.yellow('Backups are possible; see the warnings.'),
    ok: colors.green('All preconditions are met.'),
  };
  return [...lines, '', verdict[outcome]];
}

function describeSettings(settings: Awaited<ReturnType<typeof settingsInForce>>, output: Output): string[] {
  const rows = settings.map(({ option, value, from, commands }) => [
    `--${option}`,
    typeof value === 'object' ? value.join(', ') : String(value),
    from,
    commands.length > 3 ? `${commands.length} commands` : commands.join(', '),
  ]);
  return rows.length === 0 ? [] : ['', ...output.table([['SETTING', 'VALUE', 'FROM', 'OF'], ...rows])];
}
