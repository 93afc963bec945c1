import type { CommandLineContext } from '#lib/cli/context';
import { runCommandLine } from '#lib/cli/program';
import type { FakeDomino } from '../fake-binding';

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where the fake server is, as options. */
export const location = ['--ini', 'data/notes.ini', '--program', 'program'] as const;

/** Runs a command over a fake server, in whose directory the user is. */
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
