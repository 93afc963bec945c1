import { dirname } from 'node:path';
import type { DominoLocation } from '../call/options';
import { ProcessError } from '../errors/errors';
import { leftOversOfProcess } from './journals';
import { describeLeftOver, type LeftOver } from './left-over';

/** Where a process worked, for the report about its end. */
export interface WorkPlace {
  readonly deltaDirectory?: string | undefined;
  /** Further delta directories that it may have used. */
  readonly alsoDeltaDirectories?: readonly string[];
  readonly domino?: DominoLocation | undefined;
}

/** The delta directory of a backup that is given by its directory or its manifest. */
export function deltaDirectoryOf(manifest: unknown): string | undefined {
  if (typeof manifest !== 'string') return undefined;
  return dirname(manifest.endsWith('manifest.json') ? dirname(manifest) : manifest);
}

/** How a process ended. */
export interface ProcessEnd {
  readonly pid: number;
  readonly exitCode: number | undefined;
  readonly signal: string;
  readonly hung: boolean;
}

/** The error for a process that died: how it ended and, according to its journals, what it left behind. */
export async function describeEnd(call: string, end: ProcessEnd, place: WorkPlace): Promise<ProcessError> {
  const { leftOvers, unreadable, deltaDirectories } = await leftOversIn(place, end.pid);
  const left = leftOvers.map(describeLeftOver);
  const who =
    call === '' ? `the process ${end.pid}, which did the work,` : `${call}: the process ${end.pid}, which held Domino,`;
  const said = [
    `${who} ${howItEnded(end)}`,
    ...(left.length > 0 ? left : [unreadable === '' ? 'according to its journals, nothing is left' : unreadable]),
  ];
  const nothing = left.length === 0 && unreadable === '';
  const commands = deltaDirectories.map((deltaDirectory) => recoverCommand({ ...place, deltaDirectory }));
  const hint = nothing ? 'There is nothing to clean up. Repeat the call.' : `Run: ${commands.join('; then: ')}`;
  return new ProcessError({ call, ...end, left }, { message: said.join('; '), hint });
}

/** What a process has left, and the delta directories for which a recovery is needed. */
async function leftOversIn(
  { deltaDirectory, alsoDeltaDirectories = [] }: WorkPlace,
  pid: number,
): Promise<{
  readonly leftOvers: readonly LeftOver[];
  readonly unreadable: string;
  readonly deltaDirectories: readonly (string | undefined)[];
}> {
  const given = deltaDirectory === undefined && alsoDeltaDirectories.length > 0 ? [] : [deltaDirectory];
  const places = [...new Set([...given, ...alsoDeltaDirectories])];
  const leftOvers = new Map<string, LeftOver>();
  const needed: (string | undefined)[] = [];
  let unreadable = '';
  for (const place of places) {
    const found = await leftOversOfProcess(place, pid);
    // The state directory belongs to each place: what is there is recovered with the first of them.
    const more = found.leftOvers.filter(({ journal }) => !leftOvers.has(journal));
    for (const each of more) leftOvers.set(each.journal, each);
    if (more.length > 0 || found.unreadable !== '') needed.push(place);
    if (unreadable === '') unreadable = found.unreadable;
  }
  return { leftOvers: [...leftOvers.values()], unreadable, deltaDirectories: needed };
}

/** The command that cleans up after such a process. */
export function recoverCommand({ deltaDirectory, domino = {} }: WorkPlace): string {
  const { notesIni, programDirectory, trustProgramDirectory } = domino;
  const options = { '--delta-dir': deltaDirectory, '--ini': notesIni, '--program': programDirectory };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const trusted = trustProgramDirectory === true ? ['--trust-program'] : [];
  return ['domino-vss recover', ...given.map(([name, value]) => `${name} ${quoted(value ?? '')}`), ...trusted].join(
    ' ',
  );
}

/** Quotes a path for the shell of the system if needed. */
function quoted(path: string): string {
  if (process.platform === 'win32') return /[\s&^()]/.test(path) ? `"${path}"` : path;
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function howItEnded({ hung, signal, exitCode }: ProcessEnd): string {
  if (hung) return 'did not answer after all deadlines had passed, and was ended';
  if (signal !== '') return `was ended by ${signal}`;
  // Windows has no signals. Whoever terminates a process chooses its exit code; after a crash it is the status of the exception.
  if (process.platform === 'win32' && exitCode !== undefined) {
    const isException = exitCode >= 0xc0000000;
    return isException
      ? `was ended by the exception 0x${exitCode.toString(16)}`
      : `ended, or was terminated, with exit code ${exitCode}`;
  }
  return `ended by itself with exit code ${exitCode ?? '?'}`;
}
