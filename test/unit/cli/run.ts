import type { CommandLineContext } from '#lib/cli/context';
import { runCommandLine } from '#lib/cli/program';
import type { FakeDomino } from '../fake-binding';

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options that locate the fake server. */
export const location = ['--ini', 'data/notes.ini', '--program', 'program'] as const;

/** Runs a command on a fake server, with its directory as working directory. */
export async function run(
  domino: FakeDomino,
  args: readonly string[],
  change: Partial<CommandLineContext> = {},
): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runCommandLine(args, {
    loadBinding: () => domino.binding,
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: {},
    workingDirectory: domino.root,
    signal: new AbortController().signal,
    relaunch: () => Promise.resolve(undefined),
    ...change,
  });
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}
