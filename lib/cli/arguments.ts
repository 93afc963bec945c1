import { InvalidArgumentError, type Command } from 'commander';
import { join, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { OptionError } from '../errors/errors';
import type { DominoLocation } from '../call/options';
import type { CommandLineContext } from './context';
import { logSystemDescription } from './system-log';

/** Options of every command that uses Domino. */
export interface DominoArguments {
  readonly ini?: string;
  readonly program?: string;
  readonly trustProgram?: boolean;
  readonly json?: boolean;
}

export function addDominoOptions(command: Command, context: CommandLineContext): Command {
  return command
    .option('--ini <file>', 'notes.ini of the server (default: found automatically)', pathFrom(context))
    .option('--program <dir>', 'Domino program directory (default: found automatically)', pathFrom(context))
    .option('--trust-program', 'load Domino even if ordinary users could replace its libraries')
    .option('--json', 'print one JSON document instead of text');
}

/** The options added by {@link addUnattendedOptions}. */
export interface UnattendedArguments {
  readonly quiet?: boolean;
  readonly log?: string;
  readonly logSystem?: boolean;
  readonly metrics?: string;
  readonly failureCommand?: string;
  readonly json?: boolean;
}

/** For commands that often run unattended. */
export function addUnattendedOptions(command: Command, context: CommandLineContext): Command {
  return command
    .option('--quiet', 'print nothing and show no progress if everything succeeds')
    .option('--log <file>', 'also append all output to this file, with timestamps', pathFrom(context))
    .option('--log-system', logSystemDescription)
    .option('--metrics <file>', 'write the result as OpenMetrics text to this file', pathFrom(context))
    .option('--failure-command <file>', 'run this program if the command does not succeed', pathFrom(context));
}

/**
 * The option that nearly every command needs. Unlike commander's own required options, it is checked after unknown options have
 * been rejected, so that a misspelt `--delta-dir` is reported as such.
 */
export function addDeltaDirectory(command: Command, description: string, context: CommandLineContext): Command {
  return command
    .option('--delta-dir <dir>', `${description} (required)`, pathFrom(context))
    .hook('preAction', (_program, action) => {
      if (action.opts()['deltaDir'] === undefined) action.error("error: option '--delta-dir <dir>' is required");
    });
}

export function locationOf({ ini, program, trustProgram }: DominoArguments): DominoLocation {
  return { notesIni: ini, programDirectory: program, trustProgramDirectory: trustProgram };
}

/** Relative paths are relative to the user's working directory. */
export function pathFrom(context: CommandLineContext): (value: string) => string {
  return (value) => resolve(context.workingDirectory, value);
}

/** Where a shadow is exposed: a drive letter is used as it is, anything else is a path. */
export function placeFrom(context: CommandLineContext, place: string): string {
  return /^[a-z]:?[\\/]?$/i.test(place) ? place : resolve(context.workingDirectory, place);
}

/** For options that can be repeated, with one or more values each. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

export function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(Number(value)))
    throw new InvalidArgumentError('It must be a whole number.');
  return Number(value);
}

const millisecondsPer: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time above 0, such as `500ms`, `90s`, `5m`, `1.5h` or `1d`, in milliseconds. A number without a unit means seconds. */
export function duration(value: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(value.trim()) ?? [];
  const milliseconds = Math.round(Number(amount) * (millisecondsPer[unit] ?? 0));
  if (!(milliseconds > 0 && Number.isSafeInteger(milliseconds)))
    throw new InvalidArgumentError('It must be a time above 0, such as 90 (seconds), 90s, 5m or 2h.');
  return milliseconds;
}

export function milliseconds(value: string): number {
  const time = Math.round(Number(value));
  if (value.trim() === '' || !(time >= 0 && Number.isSafeInteger(time))) {
    throw new InvalidArgumentError('It must be a number of milliseconds.');
  }
  return time;
}

/** The path of a backup that is named by its id in a delta directory, or by a path. */
export function backupPath(name: string, deltaDirectory: string | undefined, context: CommandLineContext): string {
  if (deltaDirectory !== undefined && existsSync(join(deltaDirectory, name))) return join(deltaDirectory, name);
  const path = resolve(context.workingDirectory, name);
  if (existsSync(path)) return path;
  const advice =
    deltaDirectory === undefined
      ? '; name the delta directory with --delta-dir to use an id'
      : ` in ${deltaDirectory}; "domino-vss backup list" shows the existing ones`;
  throw new OptionError('backup', `there is no backup "${name}"${advice}`);
}
